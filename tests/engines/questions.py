"""Texts with questions: what the answer must contain, or None where the text does not say it.

`TUNED` are the ones that the thresholds were chosen with; `HELD_BACK` were written apart and only measured.
"""

from __future__ import annotations

from tests.samples.make import HANDBOOK, REPORT, SCAN

QuestionSet = tuple[str, dict[str, str | None]]


def _text_of(document: dict[str, list[str]]) -> str:
    return "\n\n".join("\n\n".join([title, *paragraphs]) for title, paragraphs in document.items())


LEASE = """Lease agreement

1. Parties. This lease is made between Harlow Estates Ltd (the landlord) and Ms Priya Raman (the tenant).

2. Premises. The landlord lets the flat at 14 Quayside Lane, Whitby, with two bedrooms and a parking space.

3. Term. The lease begins on 1 March 2023 and runs for twenty-four months.

4. Rent. The rent is 1,150 pounds a month, payable on the first day of each month by bank transfer. A late fee of
25 pounds is due after seven days.

5. Deposit. The tenant pays a deposit of 1,725 pounds, held by the Deposit Protection Service.

6. Pets. Cats are allowed with written consent. Dogs are not allowed.

7. Notice. Either party may end the lease with two months' notice in writing.

8. Repairs. The landlord repairs the roof, the boiler and the windows. The tenant replaces light bulbs and batteries.
"""

BEES = """# Honey bees

A colony of honey bees has one queen, some hundred drones and up to sixty thousand workers. The queen lays as many as
two thousand eggs a day in early summer. Workers live about six weeks in summer and several months in winter.

## Dances

Karl von Frisch described the waggle dance in 1927 and received the Nobel Prize in 1973. The angle of the dance tells
the direction of the food against the sun, its length the distance.

## Honey

To make a pound of honey, bees visit around two million flowers. Honey keeps for years because it holds less than
18 percent water. Smoke calms bees because it hides the alarm scent.

## Enemies

The varroa mite, which came from Asia, weakens colonies by feeding on the fat of larvae. Beekeepers treat hives with
oxalic acid in December, when there is no brood.
"""

MINUTES = """Minutes of the parish council, 12 October

Present: Helen Abara (chair), Tom Pickering (clerk), Councillors Doyle, Marsh and Venkat. Apologies: Councillor Lunn.

The minutes of September were approved. The clerk reported a balance of 18,430.55 in the current account.

Playground: Councillor Marsh presented three quotes for the new swings. The council chose Brightplay at 6,200 and asked
the clerk to place the order. Installation is expected in the second week of November.

Street lights: Four lamps in Mill Lane are broken. The county has promised to mend them by the end of the month.

Library: The mobile library will stop at the village hall every second Thursday from 14:00 to 16:00.

The next meeting is on 9 November at 19:30 in the school. The meeting closed at 21:10.
"""

RECIPE = """Lentil soup

Serves four. Takes 45 minutes.

Ingredients:
- 250 g red lentils
- 2 carrots
- 1 onion
- 1.2 litres vegetable stock
- 2 teaspoons cumin

Fry the onion in olive oil until golden, then add the cumin. Add carrots, lentils and stock and simmer for 25 minutes.
Blend half of the soup and stir it back in. Serve with lemon and coriander.

Leftovers keep for three days in the fridge or two months in the freezer.
"""

PUMP = """HX-200 circulation pump. User manual

Technical data
Rated voltage: 230 V
Power consumption: 45 W
Maximum head: 6.5 m
Weight: 2.8 kg
Noise level: 38 dB
Protection class: IP44

Installation
Mount the pump with its shaft horizontal. Close the valves before loosening the screws. Tighten the union nuts to 40 Nm.

Error codes
E1: The rotor is blocked. Switch off the power, remove the vent screw and turn the shaft by hand.
E2: The voltage is too low. Check the supply.
E3: The motor is too hot. Let it cool for thirty minutes.

Warranty
The manufacturer gives a warranty of five years from the date of purchase. Damage from frost is not covered.
"""

BIOGRAPHY = """Amara Okonkwo-Lindqvist

Amara Okonkwo-Lindqvist (born 4 July 1951 in Enugu) is a Nigerian-Swedish marine biologist. She studied at the
University of Ibadan and took her doctorate in Gothenburg in 1979 with a thesis on cold-water corals.

In 1986 she led the first crewed dive to the Sula Ridge reef off Norway, at a depth of 310 metres. The dive showed that
the reef is more than eight thousand years old. Her campaign led Norway to ban bottom trawling there in 1999.

From 1992 to 2011 she was director of the Marine Institute in Tromsø. She has received the Linnaeus Medal and eleven
honorary degrees. Her memoir, The Quiet Reef, was published in 2015 and translated into nine languages.

She is married to the oceanographer Nils Lindqvist; they have two daughters and live near Lysekil.
"""

CASTLE = """Castle Brandt: a short history

Castle Brandt was begun in 1184 by Count Ulrich the Elder, who wanted to watch over the salt road. The keep is 31 metres
high and its walls are up to four metres thick. The chapel of Saint Barbara was added around 1320.

In 1525 rebellious peasants besieged the castle for eleven weeks without taking it. A fire destroyed the east wing in
1689; it was rebuilt in the baroque style by the architect Lorenzo Vanni.

Since 1921 the castle has belonged to the town of Ellersbach. The museum shows 600 objects, among them the sword of
Count Ulrich and a Gothic Bible. About 85,000 people visit the castle every year.
"""

EMAIL = """From: Sanjay Mehta
To: All staff
Subject: Office move

Dear all,

we move to the new office at 9 Foundry Street on Monday, 16 June. The old office closes on Friday, 13 June at 15:00.
Please pack your desk by Thursday evening. Crates are in the kitchen; every crate must carry a blue label with your
name.

The movers are Hartley & Sons. Do not pack laptops: take them home. Parking at the new office costs 4 pounds a day and
is paid by the company for visitors only. Bicycles go in the basement.

If you have questions, ask Lucia in facilities on extension 214.

Sanjay
"""

STUDY = """Effects of evening light on sleep

Abstract
We studied 128 adults aged 19 to 64 for six weeks. Half of them wore amber glasses from 20:00 until bedtime; the others
wore clear glasses. The amber group fell asleep 17 minutes earlier and slept 26 minutes longer on average.

Methods
Participants were recruited in Utrecht through newspaper advertisements. Sleep was measured with wrist actigraphs.
Shift workers and people who took sleeping pills were excluded.

Results
Nine participants left the study. No side effects were reported. The effect was strongest in participants over fifty.

Funding
The study was funded by the Dutch Research Council. The authors declare no conflicts of interest.
"""

TERMS = """Terms of delivery

Orders placed before 14:00 on working days are shipped the same day. Delivery within Ireland takes one to two working
days, to other EU countries three to five. Shipping is free for orders above 60 euros; below that it costs 4.95 euros.

You may return goods within 30 days of receipt. Underwear and opened software cannot be returned. Refunds are made
within ten days to the card used for payment.

We accept Visa, Mastercard and PayPal. Invoices are sent by e-mail. The guarantee on electrical goods is three years.

Our customer service can be reached from Monday to Saturday, 8:00 to 20:00, at +353 1 555 0134.
"""

TUNED: list[QuestionSet] = [
    (
        _text_of(HANDBOOK),
        {
            "Who founded the Ferrand Observatory?": "Odile Ferrand",
            "How big is the mirror of the main telescope?": "3.6 metres",
            "When is the visitor centre open?": "Tuesday to Sunday",
            "How much does a night tour cost?": "28 euros",
            "What does a ticket for children cost?": "5 euros",
            "How often does the cable car run?": "every twenty minutes",
            "Are dogs allowed inside the domes?": "not inside the domes",
            "Which extension should I call in an emergency?": "55",
            "Why are white torches forbidden?": "blind the instruments",
            "Where is the nearest hospital?": "Valmure",
            "How heavy is the mirror?": "eleven tonnes",
            "Can I get a refund?": "Refunds are given",
            "Who is the current director of the observatory?": None,
            "What is the wifi password?": None,
            "How much does parking cost?": None,
            "When was the second dome built?": None,
            "Is there a restaurant at the visitor centre?": None,
            "What is the capital of France?": None,
            "How many visitors came in 2019?": None,
            "Which planets can be seen in March?": None,
        },
    ),
    (
        _text_of(REPORT),
        {
            "How many units did Lighthouse Works deliver?": "17,941",
            "What does Porto make?": "Porto assembles lamps",
            "Where will the second lens furnace be built?": "Bergen",
            "When will the furnace be lit?": "September",
            "What is the largest risk?": "rare earths",
            "How many units are ordered for the coming year?": "19,300",
            "Who is the chief executive of Lighthouse Works?": None,
            "What was the profit?": None,
            "How many employees work in Oslo?": None,
            "When was Lighthouse Works founded?": None,
            "What dividend was paid?": None,
        },
    ),
    (
        "\n".join(SCAN),
        {
            "What was the total paid?": "266.50",
            "Which berth was it?": "Berth 17",
            "How much was the electricity?": "24.00",
            "What is the name of the vessel?": "Sea Sparrow",
            "On which channel is the harbour master?": "channel 12",
            "What is the captain's name?": None,
            "How long is the warranty?": None,
        },
    ),
    (
        LEASE,
        {
            "How much is the rent?": "1,150 pounds",
            "Who is the tenant?": "Priya Raman",
            "Who is the landlord?": "Harlow Estates",
            "When does the lease begin?": "1 March 2023",
            "How large is the deposit?": "1,725",
            "Are dogs allowed?": "Dogs are not allowed",
            "Who repairs the boiler?": "landlord repairs",
            "How much notice must be given to end the lease?": "two months",
            "What is the fee for late payment?": "25 pounds",
            "May the tenant sublet the flat?": None,
            "Who pays the council tax?": None,
            "Is smoking allowed?": None,
            "How much is the electricity bill?": None,
            "What is the landlord's phone number?": None,
        },
    ),
    (
        BEES,
        {
            "How many eggs does the queen lay a day?": "two thousand eggs",
            "Who described the waggle dance?": "Karl von Frisch",
            "When did von Frisch receive the Nobel Prize?": "1973",
            "Why does smoke calm bees?": "alarm scent",
            "Where does the varroa mite come from?": "Asia",
            "How long do workers live in winter?": "several months",
            "How much water does honey contain?": "18 percent",
            "When are hives treated with oxalic acid?": "December",
            "How fast do bees fly?": None,
            "How many eyes does a bee have?": None,
            "What is the price of honey?": None,
            "How long does the queen live?": None,
            "Who invented the movable-frame hive?": None,
        },
    ),
    (
        MINUTES,
        {
            "Who chaired the meeting?": "Helen Abara",
            "What is the balance of the account?": "18,430.55",
            "Which company was chosen for the swings?": "Brightplay",
            "When is the next meeting?": "9 November",
            "How many lamps are broken in Mill Lane?": "Four lamps",
            "When does the mobile library stop at the village hall?": "Thursday",
            "When did the meeting close?": "21:10",
            "Who sent apologies?": "Lunn",
            "What did the council decide about the cemetery?": None,
            "What is the clerk's salary?": None,
            "When was the village hall built?": None,
            "Who won the election?": None,
            "How high is the council tax?": None,
        },
    ),
    (
        RECIPE,
        {
            "How many people does it serve?": "four",
            "How long must the soup simmer?": "25 minutes",
            "How much stock is needed?": "1.2 litres",
            "How long do leftovers keep in the freezer?": "two months",
            "How many carrots are needed?": "2 carrots",
            "How much cumin is needed?": "2 teaspoons",
            "How many calories does a portion have?": None,
            "At what temperature should the oven be?": None,
            "Which wine goes with it?": None,
            "How much garlic is needed?": None,
        },
    ),
    (
        PUMP,
        {
            "What does error code E2 mean?": "voltage is too low",
            "What is the power consumption?": "45 W",
            "How heavy is the pump?": "2.8 kg",
            "How long is the warranty?": "five years",
            "How long should the motor cool?": "thirty minutes",
            "What should I do before loosening the screws?": "Close the valves",
            "Is frost damage covered by the warranty?": "not covered",
            "What does error code E7 mean?": None,
            "What is the price of the pump?": None,
            "Which colour is the pump?": None,
            "Where is the manufacturer based?": None,
            "How do I connect it to wifi?": None,
        },
    ),
    (
        BIOGRAPHY,
        {
            "When was Amara Okonkwo-Lindqvist born?": "4 July 1951",
            "Where did she study?": "Ibadan",
            "How deep was the dive to the Sula Ridge?": "310 metres",
            "When did Norway ban bottom trawling?": "1999",
            "What is the title of her memoir?": "The Quiet Reef",
            "Who is her husband?": "Nils Lindqvist",
            "How many daughters does she have?": "two daughters",
            "What was her thesis about?": "cold-water corals",
            "How old is the reef?": "eight thousand years",
            "When did she die?": None,
            "Which football club does she support?": None,
            "How much did the dive cost?": None,
            "What is the name of her dog?": None,
            "When did she win the Nobel Prize?": None,
        },
    ),
]

HELD_BACK: list[QuestionSet] = [
    (
        CASTLE,
        {
            "Who began Castle Brandt?": "Count Ulrich",
            "How high is the keep?": "31 metres",
            "How thick are the walls?": "four metres",
            "When was the chapel added?": "1320",
            "How long was the castle besieged?": "eleven weeks",
            "What destroyed the east wing?": "fire destroyed",
            "Who rebuilt the east wing?": "Lorenzo Vanni",
            "Who owns the castle today?": "Ellersbach",
            "How many objects does the museum show?": "600 objects",
            "How many people visit the castle?": "85,000",
            "How much is a ticket to the museum?": None,
            "Is there a ghost in the castle?": None,
            "When does the museum close?": None,
            "Which film was shot in the castle?": None,
            "Who is the mayor of Ellersbach?": None,
        },
    ),
    (
        EMAIL,
        {
            "When do we move?": "16 June",
            "Where is the new office?": "9 Foundry Street",
            "When does the old office close?": "13 June",
            "Where are the crates?": "kitchen",
            "What colour is the label?": "blue label",
            "Who are the movers?": "Hartley",
            "How much does parking cost?": "4 pounds",
            "Where do bicycles go?": "basement",
            "Who can I ask if I have questions?": "Lucia",
            "What should I do with my laptop?": "take them home",
            "What is the rent of the new office?": None,
            "Will there be a canteen?": None,
            "How many desks are there?": None,
            "Who is the landlord?": None,
        },
    ),
    (
        STUDY,
        {
            "How many adults were studied?": "128 adults",
            "How long did the study last?": "six weeks",
            "What colour were the glasses?": "amber",
            "How much longer did the amber group sleep?": "26 minutes",
            "Where were participants recruited?": "Utrecht",
            "How was sleep measured?": "actigraphs",
            "Who was excluded?": "Shift workers",
            "Who funded the study?": "Dutch Research Council",
            "Were there side effects?": "No side effects",
            "How many participants left the study?": "Nine participants",
            "How much were the participants paid?": None,
            "In which journal was it published?": None,
            "Did caffeine change the result?": None,
            "How many children took part?": None,
            "What did the glasses cost?": None,
        },
    ),
    (
        TERMS,
        {
            "How long does delivery within Ireland take?": "one to two working",
            "When is shipping free?": "above 60 euros",
            "How long may I return goods?": "30 days",
            "Which goods cannot be returned?": "Underwear",
            "When are refunds made?": "ten days",
            "Do you accept PayPal?": "PayPal",
            "How long is the guarantee on electrical goods?": "three years",
            "What is the phone number of customer service?": "555 0134",
            "How much does shipping cost below 60 euros?": "4.95",
            "Do you ship to Canada?": None,
            "Can I pay with Bitcoin?": None,
            "Is gift wrapping available?": None,
            "Where is the shop?": None,
            "How do I delete my account?": None,
        },
    ),
]
