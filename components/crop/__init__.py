"""Faces out of pictures: detect, align, measure, cut."""

from components.crop.step import CropParams, CropReport, crop_faces

__all__ = ["CropParams", "CropReport", "crop_faces"]
