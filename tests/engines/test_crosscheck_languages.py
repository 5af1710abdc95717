"""The cross-check in English, German and Chinese: planted differences are found, and other writing is none."""

from __future__ import annotations

import pytest

from tasks.engines.crosscheck import Field, compare
from tasks.engines.document import text_page
from tasks.engines.doubts import doubts_about
from tasks.engines.facts import facts_of
from tasks.engines.notation import notation_of
from tasks.engines.typed_values import find_values

CHINESE = """设备采购合同
合同编号：HT-2024-0815
甲方（买方）：上海海灯贸易有限公司
乙方（卖方）：宁波钟铃制造有限公司
签订日期：2024年10月15日
合同总价：人民币178,121.38元（大写：壹拾柒万捌仟壹佰贰拾壹元叁角捌分），含13%增值税。
甲方应于2024年11月1日前向乙方支付预付款人民币50,000.00元。
乙方应于2024年12月20日前交货，交货期为30天。
质保期3年。每逾期一天，按合同总价的0.5%支付违约金。
账号：6222 0212 0000 1234 567
联系电话：021-6888 1234
名称;数量;单价;金额
信号灯;12;1,200.00;14,400.00
黄铜钟;3;980.50;2,941.50
合计;;;17,341.50
"""
# The same in other writing.
CHINESE_AGAIN = """采购合同
合同号码：HT-2024-0815
甲方：上海海灯贸易有限公司
乙方：宁波钟铃制造有限公司
签订日期：二〇二四年十月十五日
合同总价：￥１７８，１２１．３８（大写：壹拾柒万捌仟壹佰贰拾壹元叁角捌分），含百分之十三增值税。
甲方应于2024.11.01前向乙方支付预付款人民币5万元。
乙方应于二〇二四年十二月二十日前交货，交货期为30天。
质保期36个月。每逾期一天，按合同总价的0.5%支付违约金。
账号：6222021200001234567
电话：021-68881234
| 名称 | 数量 | 单价 | 金额 |
|---|---|---|---|
| 信号灯 | 12 | 1,200.00 | 14,400.00 |
| 黄铜钟 | 3 | 980.50 | 2,941.50 |
合计：17,341.50元
"""
GERMAN = """Rechnung
Rechnungsnummer: RE-2024-17
Rechnungsdatum: 15. Oktober 2024
Kunde: Ingrid Solheim
Gesamtbetrag: 4.500 EUR
Der Betrag ist bis zum 3. November 2024 um 14.30 Uhr zu zahlen.
Gewicht: 2.500 kg
IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX
Artikel | Menge | Einzelpreis
Signallampe | 12 | 250
Glocke | 3 | 500
Summe | | 4.500 EUR
"""
GERMAN_AGAIN = """Rechnungsnr.: RE-2024-17
Datum der Rechnung: 15.10.2024
Kunde: Solheim, Ingrid
Gesamtbetrag: 4.500,- EUR
Der Betrag ist bis zum 03.11.2024 um 14:30 Uhr zu zahlen.
Gewicht: 2,5 t
IBAN: DE89370400440532013000
Artikel;Menge;Einzelpreis
Signallampe;12;250,00
Glocke;3;500,00
Summe: 4.500,00 EUR
"""
ENGLISH = """Invoice no.: INV-2024-17
Invoice date: October 15, 2024
Buyer: Ingrid Solheim
The deposit of 1,200.00 EUR is due on 3 November 2024.
Please pay to AT61 1904 3002 3457 3201 BIC OPSKATWW
Item | Qty | Price
Signal lamp | 12 | 250.00
Brass bell | 3 | 500.00
Total | | 4,500.00 EUR
"""
ENGLISH_AGAIN = """Number of the invoice: INV-2024-17
Date of invoice: 2024-10-15
Client: Solheim, Ingrid
The deposit of EUR 1200 is due on 2024-11-03.
Account: AT611904300234573201
Signal lamp;12;250.00
Brass bell;3;500.00
Total: EUR 4,500.00
"""
LEASE = """房屋租赁合同
出租方：王建国
租赁期限自2024年9月1日起至2025年8月31日止。
月租金为人民币6,500元，押金为13,000元整。
租金总额：柒万捌仟元整
房屋面积：89.5平方米
项目 | 金额
物业费 | 350元
水电费 | 200元
合计 | 550元
"""
LEASE_AGAIN = """租赁合同
出租方:王建国
租赁期限自 2024-09-01 起至 2025-08-31 止。
月租金为人民币6500.00元，押金为人民币13,000.00元。
租金总额：¥78,000
房屋面积：89.5㎡
项目;金额
物业费;350.00
水电费;200.00
合计：550.00元
"""
PAIRS = {
    "zh": (CHINESE, CHINESE_AGAIN),
    "de": (GERMAN, GERMAN_AGAIN),
    "en": (ENGLISH, ENGLISH_AGAIN),
    "lease": (LEASE, LEASE_AGAIN),
}
PLANTED = [
    ("zh", "HT-2024-0815", "HT-2024-0851"),
    ("zh", "宁波钟铃", "宁波钟鼎"),
    ("zh", "十月十五日", "十月二十五日"),
    ("zh", "１７８，１２１", "１７８，２１２"),
    ("zh", "百分之十三", "百分之九"),
    ("zh", "2024.11.01", "2024.11.10"),
    ("zh", "5万元", "6万元"),
    ("zh", "十二月二十日", "十二月二十一日"),
    ("zh", "36个月", "24个月"),
    ("zh", "0.5%", "0.6%"),
    ("zh", "234567", "234576"),
    ("zh", "68881234", "68881243"),
    ("zh", "980.50", "990.50"),
    ("zh", "| 12 |", "| 13 |"),
    ("zh", "合计：17,341.50", "合计：17,431.50"),
    ("lease", "王建国", "王建民"),
    ("lease", "2025-08-31", "2025-08-30"),
    ("lease", "6500.00", "6800.00"),
    ("lease", "¥78,000", "¥87,000"),
    ("lease", "89.5㎡", "98.5㎡"),
    ("lease", "水电费;200", "水电费;250"),
    ("lease", "合计：550", "合计：600"),
    ("de", "RE-2024-17", "RE-2024-71"),
    ("de", "15.10.2024", "16.10.2024"),
    ("de", "4.500,- EUR", "4.050,- EUR"),
    ("de", "03.11.", "04.11."),
    ("de", "14:30", "15:30"),
    ("de", "2,5 t", "2,6 t"),
    ("de", "532013000", "532013100"),
    ("de", "lampe;12", "lampe;21"),
    ("de", "500,00\n", "505,00\n"),
    ("de", "Summe: 4.500,00", "Summe: 4.900,00"),
    ("en", "2024-10-15", "2024-10-16"),
    ("en", "EUR 1200", "EUR 1300"),
    ("en", "573201", "573291"),
    ("en", "lamp;12;", "lamp;13;"),
    ("en", "3;500.00", "3;505.00"),
    ("en", "Total: EUR 4,500", "Total: EUR 4,600"),
]


def compared(*texts: str) -> list[Field]:
    return compare([facts_of([text_page(text)]) for text in texts])


def differing(*texts: str) -> list[list[str]]:
    return [
        [fact.value.shown for facts in one.facts.values() for fact in facts]
        for one in compared(*texts)
        if len(one.facts) > 1 and not one.agrees
    ]


@pytest.mark.parametrize("language", PAIRS)
def test_the_same_in_other_writing_is_no_difference_and_leaves_nothing_over(language: str) -> None:
    one, other = PAIRS[language]

    assert differing(one, other) == []
    fields = compared(one, other)
    assert [(field.label, field.first.value.written) for field in fields if len(field.facts) < 2 and field.label] == []
    assert doubts_about(fields, ["one", "other"]) == []


@pytest.mark.parametrize(("language", "true", "planted"), PLANTED)
def test_a_planted_difference_is_found_and_no_other(language: str, true: str, planted: str) -> None:
    one, other = PAIRS[language]
    assert other.count(true) == 1

    assert len(differing(one, other.replace(true, planted))) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Gesamtbetrag: 4.500 EUR", "4500 EUR"),
        ("Total 4.500 EUR", "4.5 or 4500 EUR"),
        ("4.500 EUR", "4500 EUR"),
        ("1.499 EUR/l", "1499 or 1.499 EUR"),
        ("Preis 5.000,- EUR", "5000 EUR"),
        ("金额：￥１７８，１２１．３８", "178121.38 CNY"),
        ("合同价 ¥4,500", "4500 CNY"),
        ("Price in China: ¥4,500", "4500 CNY"),
        ("ご請求金額は ¥4,500 です", "4500 JPY"),
        ("Price: ¥4,500", "4500 ¥"),
        ("总价120万元", "1200000 CNY"),
        ("3.5亿美元", "350000000 USD"),
        ("新台幣5,000元", "5000 TWD"),
        ("人民币（大写）壹拾柒万捌仟元整", "178000 CNY"),
        ("2024年10月15日", "2024-10-15"),
        ("二〇二四年十月十五日", "2024-10-15"),
        ("百分之十三", "13 %"),
        ("Tel. 0341 5550123", "03415550123"),
        ("Tel. (0341) 555 01-23", "03415550123"),
        ("Tel. 0341/5550123, Fax", "03415550123"),
        ("电话：02885556677", "02885556677"),
        ("Call +44 (0)20 7946 0958", "+442079460958"),
        ("Tel. +49 (0)711 / 234 56-78", "+497112345678"),
    ],
)
def test_a_value_is_read_as_its_document_writes(text: str, shown: str) -> None:
    assert [value.shown for value in find_values(text, notation_of(text))] == [shown]


def test_other_amounts_of_a_document_decide_before_its_language() -> None:
    text = "The total is the sum of 12,50 EUR and of 7,25 EUR\n4.500 EUR"

    assert [value.shown for value in find_values("4.500 EUR", notation_of(text))] == ["4500 EUR"]


def test_what_stays_ambiguous_is_said() -> None:
    fields = compared(
        "The total of the order is 4.500 EUR\nPrice: ¥70", "The total of the order is 4,500.00 EUR\nPrice: 70"
    )

    assert doubts_about(fields, ["order", "invoice"]) == [
        "order: “4.500 EUR” may mean 4.5 EUR or 4500 EUR; it was compared as any of these.",
        "order: “¥70” may mean 70 CNY or 70 JPY; it was compared as any of these.",
    ]


def test_a_wrong_check_digit_and_a_sum_in_words_that_says_something_else_are_said() -> None:
    fields = compared("IBAN: DE88 3704 0044 0532 0130 00", "合同总价：120元（大写：壹佰贰拾壹元整）")

    assert doubts_about(fields, ["order", "合同"]) == [
        "order: “DE88 3704 0044 0532 0130 00”: its check digits are wrong, it is no valid IBAN.",
        "合同: “壹佰贰拾壹元整”: “120元” before it says something else.",
    ]


def test_numbers_of_one_series_are_one_number_though_only_one_has_a_name() -> None:
    assert len(differing("Purchase order PO-2231 of March", "Order no.: PO-2213")) == 1
    assert len(differing("合同编号：HT-88-14", "合同号：HT-88-41")) == 1
    # Other letters, another thing; and both have names, other ones.
    assert differing("Purchase order PO-2231 of March", "Delivery note: DN-2231") == []
    assert differing("Order no.: PO-2231", "Earlier paper: PO-2213") == []


def test_two_accounts_without_names_that_match_but_for_a_digit_are_a_difference() -> None:
    one, other = "Kindly send it to DE89 3704 0044 0532 0130 00 soon", "DE89370400440532013010 is where it goes"

    assert len(differing(one, other)) == 1
    assert differing(one, "AT611904300234573201 is where it goes") == []


@pytest.mark.parametrize(
    ("one", "other", "rates", "sums"),
    [
        ("VAT 19 %: 237.50 EUR", "plus 19 % VAT 237.50 EUR", ("19", "7"), ("237", "273")),
        ("VAT (19 %): 237.50 EUR", "VAT | 19 % | 237.50", ("19", "7"), ("237", "273")),
        ("VAT rate: 19 %\nVAT: 237.50 EUR", "VAT @ 19%: EUR 237.50", ("19", "7"), ("237", "273")),
        (
            "MwSt. 19 %: 237,50 €",
            "Umsatzsteuersatz: 19,0 Prozent\nUmsatzsteuer: 237,50 EUR",
            ("19", "7"),
            ("237", "273"),
        ),
        ("增值税（13%）：20,491.84元", "另加13%增值税：￥20,491.84", ("13%", "6%"), ("491", "419")),
        ("增值税 | 13% | 20,491.84", "增值税税率：13%\n增值税：20,491.84元", ("13%", "6%"), ("491", "419")),
    ],
)
def test_a_tax_is_known_by_its_name_however_its_rate_stands_beside_it(
    one: str, other: str, rates: tuple[str, str], sums: tuple[str, str]
) -> None:
    assert differing(one, other) == []
    for first, second in ((one, other), (other, one)):
        assert len(differing(first, second.replace(*rates))) == 1
        assert len(differing(first, second.replace(*sums))) == 1


def test_two_taxes_of_one_paper_are_not_taken_for_each_other() -> None:
    both = "VAT 19 %: 190.00 EUR\nVAT 7 %: 14.00 EUR"

    assert differing(both, "plus 7 % VAT 14.00 EUR\nplus 19 % VAT 190.00 EUR") == []
    assert differing(both, "plus 7 % VAT 14.00 EUR") == []
    assert len(differing(both, "plus 7 % VAT 15.00 EUR\nplus 19 % VAT 190.00 EUR")) == 1
