"""Batches: files of requests, and the files of their answers.

What a batch's file may hold and what its answers look like, as Azure and OpenAI write both. Who
executes the lines stands elsewhere: `azure-responses batch run`, or the gateway.
"""
