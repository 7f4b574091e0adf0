from .config import DataConfig as DataConfig
from .config import LossConfig as LossConfig
from .config import ModelConfig as ModelConfig
from .config import RunConfig as RunConfig
from .config import TrainConfig as TrainConfig
from .config import preset as preset
from .datasets.faces import FaceDataset as FaceDataset
from .datasets.faces import Faces as Faces
from .datasets.load import load as load
from .errors import FercourseError as FercourseError
from .evaluation.predict import evaluate as evaluate
from .evaluation.recognise import predict as predict
from .labels import Expression as Expression
from .models.fernet import FERNet as FERNet
from .training.train import train as train
from .weights import pretrained as pretrained
from .weights.trained import Trained as Trained
from .weights.trained import load_weights as load_weights

__version__: str
