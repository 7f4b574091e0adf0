"""What a run may suffer from."""

from __future__ import annotations

ILLNESSES = {
    "healthy": "nothing is wrong",
    "learning rate too high": "steps so long that they jump over the valley",
    "learning rate too low": "it would get there, in ten times the epochs",
    "too little regularisation": "it learns the training faces by heart",
    "shuffled labels": "some training labels have nothing to do with their faces",
    "permuted label order": "training and validation number the classes differently",
    "left in training mode": "validation forgot model.eval()",
    "island loss too heavy": "lambda is so large that cross-entropy is not heard",
    "training faces in validation": "the same faces stand on both sides",
    "shortcut": "something in the image beside the face gives the class away",
}
"""The name to answer with, and what it means."""
