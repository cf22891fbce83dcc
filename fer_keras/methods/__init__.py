"""Training methods: each a ``keras.Model`` whose training step is the published algorithm."""

import fer_keras.layers.pixel_normalization  # (a stored method names these layers of its backbone)
import fer_keras.layers.sincos_positions
import fer_keras.layers.transformer_block  # noqa: F401
from fer_keras.methods.ada_cm import AdaCM
from fer_keras.methods.ada_df import AdaDF
from fer_keras.methods.ambiguity_distillation import AmbiguityDistillation
from fer_keras.methods.base import Method, Objective
from fer_keras.methods.center_loss import CenterLoss
from fer_keras.methods.cross_entropy import CrossEntropy
from fer_keras.methods.dmue import DMUE
from fer_keras.methods.eac import EAC
from fer_keras.methods.fixmatch import FixMatch
from fer_keras.methods.island_loss import IslandLoss
from fer_keras.methods.latent_truth import LatentTruth
from fer_keras.methods.ldl_alsg import LDLALSG
from fer_keras.methods.ldlva import LDLVA
from fer_keras.methods.leaf import LEAF
from fer_keras.methods.pll import PLL
from fer_keras.methods.registry import check_options, get, names, options
from fer_keras.methods.rul import RUL
from fer_keras.methods.scn import SCN
from fer_keras.methods.training_set_pass import TrainingSetPass
from fer_keras.methods.valence_arousal import ValenceArousal
from fer_keras.methods.votes import Votes

__all__ = [
    "DMUE",
    "EAC",
    "LDLALSG",
    "LDLVA",
    "LEAF",
    "PLL",
    "RUL",
    "SCN",
    "AdaCM",
    "AdaDF",
    "AmbiguityDistillation",
    "CenterLoss",
    "CrossEntropy",
    "FixMatch",
    "IslandLoss",
    "LatentTruth",
    "Method",
    "Objective",
    "TrainingSetPass",
    "ValenceArousal",
    "Votes",
    "check_options",
    "get",
    "names",
    "options",
]
