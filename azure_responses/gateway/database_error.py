"""The error of a database, apart from the database, so that naming it loads no driver."""

from azure_responses.errors import AzureResponsesError

__all__ = ["DatabaseError"]


class DatabaseError(AzureResponsesError):
    """The database cannot be used now; the message has neither its URL nor its values."""
