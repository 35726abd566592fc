"""What is wrong between this machine and an answer, step by step, with the fix for each failure."""

from azure_responses.doctor.diagnose import diagnose
from azure_responses.doctor.findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
