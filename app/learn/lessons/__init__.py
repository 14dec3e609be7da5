"""The interactive half of each lesson: one function a lesson, by the keys of :data:`app.learn.course.LESSONS`."""

from app.learn.lessons import motion, pictures, predictions, relations
from app.learn.lessons.stage import Show

SHOWS: dict[str, Show] = {
    "springs": motion.springs,
    "parts": motion.parts,
    "slots": pictures.slots,
    "decoders": pictures.decoders,
    "beliefs": relations.beliefs,
    "chance": relations.chance,
    "messages": relations.messages,
    "future": predictions.future,
    "cutting": relations.cutting,
    "hierarchy": predictions.hierarchy,
    "limits": predictions.limits,
}
