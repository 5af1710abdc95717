"""What everybody asks in the load test: a short text, so that the portal's own cost shows beside the engine's."""

QUESTION = "Who polished the mirror of the telescope?"
CONTEXT = (
    "The telescope stands on a hill above the town and may be visited from April to October. "
    "Its mirror was polished by Clara Winter in Jena and weighs two tonnes. "
    "Night tours cost 28 euros and must be booked at least three days ahead. "
    "In clear winter nights the dome is opened for photographers, who bring their own cameras. "
) * 5
