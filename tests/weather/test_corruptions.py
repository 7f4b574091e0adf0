"""Bad weather, against arithmetic done here and against Pillow's JPEG."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

import fercourse
from fercourse import FercourseError
from fercourse.weather import CORRUPTIONS, CURES, SEVERITIES, corrupt, cure, fog
from fercourse.weather.blur import defocus, motion
from fercourse.weather.camera import low_light, noise
from fercourse.weather.cover import cover
from fercourse.weather.cures import standardise
from fercourse.weather.dehaze import dehaze
from fercourse.weather.jpeg import jpeg

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return fercourse.load("synthetic", count=140).train.images


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_is_worse_and_the_same_every_time(faces, name):
    worse = [corrupt(faces, name, severity) for severity in SEVERITIES]
    for copy in worse:
        assert copy.dtype == torch.uint8
        assert copy.shape == faces.shape
    away = [(copy.float() - faces.float()).square().mean() for copy in worse]
    assert all(a < b for a, b in zip([0, *away[:-1]], away, strict=True)), away
    assert torch.equal(worse[2], corrupt(faces, name, 3))
    chance = name not in ("defocus", "jpeg")
    assert torch.equal(worse[2], corrupt(faces, name, 3, seed=1)) != chance


def test_later_faces_of_a_set_draw_chances_of_their_own(faces):
    many = faces.repeat(12, 1, 1)[:1030]
    assert len(faces) < 512 < len(many)
    copies = corrupt(many, "noise", 3)
    first, again = copies[0].float() - many[0].float(), copies[512].float() - many[512].float()
    assert not torch.allclose(first, again, atol=20)


def test_fog_is_light_lost_and_light_added():
    white, black = torch.ones(50, 1, 48, 48), torch.zeros(50, 1, 48, 48)
    torch.testing.assert_close(fog(black, 0.0, seeded()), black)
    through_white, through_black = (fog(x, 1.3, seeded()) for x in (white, black))
    t = through_white - through_black  # J t + A (1 - t) at J = 1 and J = 0, the same t and A
    air = through_black / (1 - t)
    assert 0.75 <= air.min() <= air.max() <= 1.0001
    assert (air.amax((2, 3)) - air.amin((2, 3))).max() < 1e-4, "one air a face"
    thickness = -t.log() / 1.3
    assert thickness.mean() == pytest.approx(1, abs=0.05)
    steps = thickness.diff(dim=3).abs().max()
    assert steps < 0.2, "smooth"
    assert thickness.std((2, 3)).min() > 0.05, "and not the same everywhere"
    half = fog(white, torch.linspace(0, 1, 50), seeded())
    torch.testing.assert_close(half[0], white[0])


def test_a_dark_room_has_few_photons():
    grey = torch.full((4, 1, 100, 100), 0.5)
    for gamma in (1.5, 3.0):
        dark = low_light(grey, gamma, seeded())
        mean = 0.5**gamma
        photons = 400 / gamma**2
        assert dark.mean() == pytest.approx(mean, rel=0.02)
        assert dark.var() == pytest.approx(mean / photons, rel=0.05), "Poisson's"


def test_noise_has_its_deviation():
    grey = torch.full((4, 1, 100, 100), 0.5)
    assert (noise(grey, 0.08, seeded()) - grey).std() == pytest.approx(0.08, rel=0.02)
    assert noise(grey, 3.0, seeded()).amax() <= 1


def test_defocus_makes_a_point_a_disc():
    point = torch.zeros(1, 1, 49, 49)
    point[0, 0, 24, 24] = 1
    disc = defocus(point, 5 / 49)[0, 0]
    assert disc.sum() == pytest.approx(1)
    rows, columns = torch.nonzero(disc > 0.5 * disc.max(), as_tuple=True)
    reach = ((rows - 24.0) ** 2 + (columns - 24.0) ** 2).sqrt()
    assert reach.max() == pytest.approx(5, abs=0.6)
    assert len(rows) == pytest.approx(math.pi * 25, rel=0.15)
    torch.testing.assert_close(disc, disc.T)
    flat = torch.full((2, 1, 20, 30), 0.3)
    torch.testing.assert_close(defocus(flat, 0.1), flat)


def test_motion_makes_a_point_a_line():
    points = torch.zeros(40, 1, 49, 49)
    points[:, 0, 24, 24] = 1
    lines = motion(points, 16 / 49, seeded())
    torch.testing.assert_close(lines.sum((1, 2, 3)), torch.ones(40))
    angles = []
    for line in lines[:, 0]:
        rows, columns = torch.nonzero(line > 0, as_tuple=True)
        place = torch.stack((rows - 24.0, columns - 24.0))
        spread, axes = torch.linalg.eigh((place * line[rows, columns]) @ place.T)
        assert spread[1].sqrt() == pytest.approx(16 / math.sqrt(12), rel=0.1), "its length"
        assert spread[0].sqrt() < 0.8, "and no width"
        angles.append(float(torch.atan2(axes[0, 1], axes[1, 1]) % math.pi))
    assert np.histogram(angles, 4, (0, math.pi))[0].min() > 2, "every direction"


@pytest.mark.parametrize("quality", [7, 15, 25, 50])
@pytest.mark.parametrize("size", [48, 44])
def test_jpeg_is_what_pillow_writes(faces, quality, size):
    few = faces[:6, :size, :size].contiguous()
    ours = (255 * jpeg(few[:, None].float() / 255, quality)).round()
    for face, mine in zip(few, ours[:, 0], strict=True):
        file = io.BytesIO()
        Image.fromarray(face.numpy()).save(file, "JPEG", quality=quality)
        theirs = torch.from_numpy(np.array(Image.open(file))).float()
        apart = (mine - theirs).abs()
        assert apart.mean() < 0.8, "rounding inside the decoder"
        assert (face.float() - theirs).abs().mean() > 2 * apart.mean()


def test_a_cover_hides_its_share():
    half = torch.full((60, 1, 50, 50), 0.123)
    covered = cover(half, 0.16, seeded())
    hidden = (covered != half).double()
    assert hidden.mean((1, 2, 3)).sub(0.16).abs().max() < 0.02
    for face, mask in zip(covered[:, 0], hidden[:, 0].bool(), strict=True):
        assert face[mask].unique().numel() == 1, "one grey"
        rows, columns = torch.nonzero(mask, as_tuple=True)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "a square, whole"


def test_errors_name_what_is_wrong(faces):
    with pytest.raises(FercourseError, match="no corruption 'rain'; use one of fog, low_light"):
        corrupt(faces, "rain", 1)
    with pytest.raises(FercourseError, match="1, 2, 3, 4 or 5, not 6"):
        corrupt(faces, "fog", 6)
    with pytest.raises(FercourseError, match=r"uint8 \(N, H, W\), not torch.float32"):
        corrupt(faces.float(), "fog", 1)
    with pytest.raises(FercourseError, match="no cure 'sun'; use none, standardise"):
        cure(faces, "sun")


@pytest.mark.parametrize("name", CURES)
def test_cures_keep_shape_and_kind(faces, name):
    cured = cure(faces, name)
    assert cured.dtype == torch.uint8
    assert cured.shape == faces.shape
    assert not torch.equal(cured, faces)
    alone = cure(faces[:3], name).int() - cured[:3].int()
    assert alone.abs().max() <= 1, "each face by itself, but for rounding"
    flat = torch.full((1, 48, 48), 128, dtype=torch.uint8)
    assert cure(flat, name).shape == flat.shape, "nothing is divided by nothing"


def test_what_each_cure_does(faces):
    pale = 0.8 + 0.02 * torch.randn(5, 1, 48, 48, generator=seeded())
    level = standardise(pale)
    torch.testing.assert_close(level.mean((1, 2, 3)), torch.full((5,), 0.507), rtol=0, atol=0.02)
    torch.testing.assert_close(level.std((1, 2, 3)), torch.full((5,), 0.255), rtol=0, atol=0.03)
    dim = corrupt(faces, "fog", 3)
    bright = cure(corrupt(faces, "low_light", 3), "gamma").float() / 255
    assert bright.mean() > 1.5 * (corrupt(faces, "low_light", 3).float() / 255).mean()
    local = cure(dim, "clahe").float()
    assert local.std((1, 2)).mean() > dim.float().std((1, 2)).mean()
    assert cure(faces, "none") is faces


def test_the_dark_channel_finds_even_haze(faces):
    """Where its prior holds, haze of one thickness comes off."""
    clear = faces[:8, None].float() / 255
    clear[..., ::3, ::3] = 0  # something nearly black in every patch
    air, t = 0.9, 0.5
    hazy = clear * t + air * (1 - t)
    hazy[:, :, :9, :9] = air  # and a patch that shows the air alone, which tells its light
    before, after = (x[..., 24:, 24:] - clear[..., 24:, 24:] for x in (hazy, dehaze(hazy)))
    assert after.abs().mean() < 0.5 * before.abs().mean()
