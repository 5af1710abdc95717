"""English documents held out at first; retrieval was tuned with them after they were measured (decision 0060)."""

from __future__ import annotations

from tests.quality.rag.papers import Paper

POLICY = Paper(
    "travel-insurance.pdf",
    [
        "# Travel insurance: policy terms",
        "Insurer: Northgate Mutual, 3 Exchange Square, Belfast. Policy holder: Grace Adeyemi.",
        "## Cover",
        "Medical treatment abroad is covered up to 500,000 pounds. Lost luggage is replaced up to 1,500 "
        "pounds, of which "
        "at most 400 pounds for a single item.",
        "If the trip is cancelled because of illness, 90 percent of the price is refunded.",
        "## Period",
        "The policy is valid from 5 January 2025 to 4 January 2026 and is not renewed automatically.",
        "## Claims",
        "Claims must be reported within 14 days of the event, online or by telephone on 028 9555 0190. "
        "The excess is 75 "
        "pounds for each claim.",
        "## Exclusions",
        "Skiing off marked slopes and diving deeper than 30 metres are not insured.",
    ],
    {
        "Who is the insurer?": "Northgate Mutual",
        "Up to what sum is medical treatment covered?": "500,000",
        "How much is paid for lost luggage?": "1,500",
        "When does the policy end?": "4 January 2026",
        "How soon must a claim be reported?": "14 days",
        "What is the excess?": "75 pounds|75",
        "How deep may I dive?": "30 metres",
        "What is the telephone number for claims?": "028 9555 0190",
        "What is the premium?": None,
        "Are rental cars insured?": None,
        "What is the policy holder's date of birth?": None,
    },
)

MENU = Paper(
    "conference.html",
    [
        "# Riverside Data Conference",
        "The conference takes place on 18 and 19 June 2026 in the Old Customs House in Bristol.",
        "## Tickets",
        [
            ["Ticket", "Until 31 March", "Later", "Includes"],
            ["Student", "60 EUR", "80 EUR", "talks"],
            ["Regular", "240 EUR", "310 EUR", "talks and dinner"],
            ["Company", "520 EUR", "650 EUR", "talks, dinner, workshop"],
        ],
        "## Programme",
        "* 9:00 Registration and coffee",
        "* 10:00 Opening talk by Professor Ines Carvalho on forecasting floods",
        "* 13:00 Lunch in the courtyard",
        "## Practical matters",
        "The nearest station is Temple Meads, ten minutes on foot. Talks are recorded and published after two weeks. "
        "Proposals for talks are accepted until 15 February; the committee is led by Samir Haddad.",
    ],
    {
        "Where does the conference take place?": "Old Customs House",
        "How much is a regular ticket after March?": "310 EUR",
        "What does the student ticket include?": "talks",
        "Who gives the opening talk?": "Ines Carvalho",
        "When is lunch?": "13:00",
        "What is the deadline for proposals?": "15 February",
        "Who leads the committee?": "Samir Haddad",
        "How far is the station?": "ten minutes",
        "How many people attend the conference?": None,
        "Which hotel is recommended?": None,
        "Who sponsors the conference?": None,
    },
)

DRILL = Paper(
    "drill-manual.docx",
    [
        "# Cordless drill KD 18: instructions",
        "## Technical data",
        [["Voltage", "18 V"], ["Speed", "0-1,700 rpm"], ["Weight with battery", "1.6 kg"], ["Noise level", "82 dB"]],
        "## Charging",
        "Charge the battery for 55 minutes before the first use. The lamp turns green when it is full. "
        "Do not charge it "
        "below 5 degrees.",
        "## Safety",
        "Wear safety glasses and ear protection. Keep children away. Remove the battery before you change the bit.",
        "## Maintenance",
        "Clean the air vents with a soft brush after each use. Worn carbon brushes are replaced by the service centre.",
        "## Warranty",
        "We repair faults free of charge for three years. Batteries are covered for one year.",
    ],
    {
        "How heavy is the drill?": "1.6 kg",
        "How long does charging take?": "55 minutes",
        "What colour is the lamp when the battery is full?": "green",
        "How loud is the drill?": "82 dB",
        "What protection should I wear?": "safety glasses",
        "How long is the warranty on batteries?": "one year",
        "Who replaces carbon brushes?": "service centre",
        "What should I do before changing the bit?": "Remove the battery",
        "What is the maximum drilling diameter?": None,
        "Where is the drill made?": None,
        "How much does a spare battery cost?": None,
    },
)

LETTER = Paper(
    "complaint.eml",
    [
        "From: Harriet Boyle <harriet@example.com>\nTo: service@example.com\nSubject: Broken washing machine",
        "Dear Sir or Madam,",
        "on 2 May I bought a washing machine of the type Aqua 700 in your shop in Leicester for 449 "
        "pounds. Since 20 May it "
        "has been leaking at the door.",
        "Your technician, Mr Okafor, came on 27 May but could not repair it because a seal was missing. I expect a "
        "replacement or my money back by 15 June.",
        "You can reach me on 0116 555 0143 after six o'clock.",
        "Yours faithfully, Harriet Boyle",
    ],
    {
        "Who complains?": "Harriet Boyle",
        "How much did the washing machine cost?": "449 pounds",
        "When was the machine bought?": "2 May",
        "Who was the technician?": "Okafor",
        "Why could it not be repaired?": "seal was missing",
        "By when does she expect a replacement?": "15 June",
        "What is the serial number of the machine?": None,
        "What is her address?": None,
    },
)

PAPERS = [POLICY, MENU, DRILL, LETTER]
