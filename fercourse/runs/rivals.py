"""The five rivals of Table 2: what each source has, and what its compact version here keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rival:
    """A method of Table 2, and ours in its spirit: never the method itself.

    Attributes:
        claim: Its name in Table 2, as in the ledger's claims.
        variant: Of its measured rows.
        short: In a figure.
        has: What the source has.
        kept: What the compact version keeps of it.
        dropped: What it leaves out.
        why: For what reason.
    """

    claim: str
    variant: str
    short: str
    has: str
    kept: str
    dropped: str
    why: str


RIVALS = (
    Rival(
        claim="Barman and Dutta [8]",
        variant="landmarks",
        short="landmark shape",
        has="landmarks of an active appearance model; normalised distances on their grid, the "
        "shapes of its triangles, stability indices, range, moment, skewness, kurtosis and entropy "
        "of both; a multilayer perceptron; six expressions of CK+, JAFFE, MMI and MUG",
        kept="all distances, Delaunay's triangles with one shape number each, the five statistics "
        "of both, a perceptron of one hidden layer",
        dropped="the appearance model; the stability indices",
        why="the appearance model needs landmarks drawn by hand, which neither FER2013 nor CK+48 "
        "brings: drawn faces give 42 exact ones (an upper bound), photographs MTCNN's five (a "
        "handicap: no brow, lid or lip); the abstract does not define a stability index",
    ),
    Rival(
        claim="Agarwal and Mukherjee [9]",
        variant="motion",
        short="words of motion",
        has="video from rest to peak; local descriptors of optical flow and image gradient; a book "
        "of key words whose words are adapted; six expressions of three sets of recordings",
        kept="Lucas-Kanade flow from rest to peak, windows described by the directions of flow and "
        "gradient, a book of 64 words, words counted by place, a linear classifier",
        dropped="the adaptation of the words; all frames between rest and peak",
        why="the adaptation is told in pages we do not have; drawn faces have two frames, the face "
        "and its twin at rest, and so does what the reader keeps of CK+'s recordings",
    ),
    Rival(
        claim="Mollahosseini et al. [11]",
        variant="inception",
        short="inception blocks",
        has="two convolutions, each followed by a maximum, and four inception blocks; registered "
        "faces; pre-training, as the paper has it, on an extensive set of faces; seven data sets, "
        "FER2013 and CK+ among them",
        kept="two convolutions, three inception blocks with GoogLeNet's proportions, global "
        "pooling",
        dropped="the fourth block, the large fully connected layers, registration, all outside "
        "data",
        why="three blocks fit a page, and at 48 pixels they leave 3 x 3 places; one field means "
        "the same faces for everyone; widths are chosen so that it has as many weights as model 1",
    ),
    Rival(
        claim="Verma et al. [14]",
        variant="skip",
        short="skips to the end",
        has="a network for image sequences whose convolutional layers are all linked with the "
        "classification layer by fully connected ones, and a second one for the paths of "
        "landmarks; CK+ and Oulu-CASIA",
        kept="a still-image network, model 1's trunk, whose five blocks each have a fully "
        "connected layer to the end",
        dropped="sequences, and the network for landmarks",
        why="FER2013 has stills, and no paths of landmarks; with model 1's trunk the skips are all "
        "that differs from model 1",
    ),
    Rival(
        claim="Liu et al. [15]",
        variant="channels",
        short="face, eyes, mouth",
        has="three parallel networks, as the paper has it, for the face and its regions; a joint "
        "embedding, to be indifferent to pose and identity; dynamic and metric, by its title",
        kept="whole face, eyes and mouth as three channels of one shared trunk, one embedding of "
        "all three, a triplet loss with the hardest partners in the batch",
        dropped="poses and identities as labels, whatever is dynamic, a network of its own for "
        "each region",
        why="we have neither its text nor its abstract; FER2013 tells neither pose nor identity; "
        "one trunk keeps the number of weights that of model 1; regions are fixed strips, since "
        "all these faces are framed alike",
    ),
)
"""In the order of Table 2."""
