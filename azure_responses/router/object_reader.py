"""Reads calls on stored objects: where each goes, and with which ids."""

from collections.abc import Mapping
from typing import Any

from azure_responses.router.arguments import check_options, is_altered
from azure_responses.router.prepared_request import Reader
from azure_responses.router.routed_object import ObjectCall, RoutedObject
from azure_responses.routing.asked_object import OWN_FIELDS, AskedObject, named_model
from azure_responses.routing.object_place import ObjectPlace, ObjectPlaces
from azure_responses.routing.route_request import RouteRequest
from azure_responses.timeouts import Timeout, deadline_of, shortest_of

__all__ = ["ObjectReader"]


class ObjectReader:
    """Reads calls on stored objects for one router.

    Args:
        reader: the router's, of other calls.
        places: decides where they go.
        timeout: of calls that name none.
    """

    def __init__(self, reader: Reader, places: ObjectPlaces, timeout: Timeout) -> None:
        self.reader = reader
        self.places = places
        self.timeout = timeout

    def read(self, call: ObjectCall) -> RoutedObject:
        """Find out where a call goes.

        Raises:
            BadRequestError, NotFoundError: see `ObjectPlaces.read`.
            ConfigurationError: an option is invalid.
        """
        check_options(call.options)
        asked = _asked(call)
        place = self.places.read(asked)
        routed = RoutedObject(
            self.reader,
            self._route_request(place, call.options),
            call,
            place.ids,
            place.query,
            place.body,
            asked.body is not call.body,
            place.given,
            call.options.get("timeout", self.timeout),
            call.pieces,
            place.copied,
            place.resources,
            place.warnings,
        )
        if call.received is not None:
            routed.send_on(call.received)
        return routed

    def _route_request(self, place: ObjectPlace, options: Mapping[str, Any]) -> RouteRequest:
        timed = "timeout" in options
        return RouteRequest(
            place.group,
            pin=place.pin,
            deadline=deadline_of(options["timeout"]) if timed else None,
            # No other group can know the object, and none of its quota is used up.
            can_move=False,
            patience=shortest_of(options["timeout"]) if timed else None,
            is_altered=is_altered(options),
            is_object=True,
        )


def _asked(call: ObjectCall) -> AskedObject:
    """What decides where a call goes, without the fields that Azure does not know."""
    body = call.body
    if body is not None and not body.keys().isdisjoint(OWN_FIELDS):
        body = {name: value for name, value in body.items() if name not in OWN_FIELDS}
    return AskedObject(
        call.row,
        call.ids,
        {name: value for name, value in call.query.items() if name in call.row.query},
        body,
        call.model or named_model(call.body or {}, call.query, call.headers),
        call.owner,
        call.must_own,
        call.may_call,
        call.replicates,
        call.models,
        call.end_user,
    )
