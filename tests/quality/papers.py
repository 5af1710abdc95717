"""Pairs of papers that say the same in other writing, and what is changed in the second: held, only measured."""

from __future__ import annotations

ENGLISH = """Purchase order PO-7731
Supplier: Hartwell Timber Ltd
Date of order: March 4, 2025
Delivery by 28 March 2025, 07:30 at gate 4.
Total weight 1,850 kg
Payment within 45 days; discount of 2.5 % when paid early.
Contact: orders@hartwell.example, (0117) 496 0958
Item | Quantity | Unit price
Oak beam | 16 | 84.50
Pine board | 240 | 3.15
Total | | 2,108.00 GBP
"""
ENGLISH_AGAIN = """Order number: PO-7731
Supplier: HARTWELL TIMBER LTD
Order date: 2025-03-04
Delivery by 28/03/2025, 7:30 am at gate 4.
Total weight: 1.85 t
Payment within 45 days; discount of 2.50 percent when paid early.
Contact: Orders@hartwell.example, 0117 4960958
Oak beam;16;84.5
Pine board;240;3.15
Total: £2,108.00
"""
GERMAN = """Angebot Nr. AN-5502
Angebotsdatum: 7. Februar 2025
Auftraggeber: Bäckerei Krüger GmbH
Liefertermin: 3. März 2025
Nettobetrag: 12.450,00 EUR
Mehrwertsteuer 19 %
Gesamtbetrag: 14.815,50 EUR
Skonto 2 % bei Zahlung innerhalb von 14 Tagen.
Telefon: +49 711 2345678
Artikel | Menge | Einzelpreis
Knetmaschine | 2 | 4.800,00
Backblech | 60 | 47,50
"""
GERMAN_AGAIN = """Angebotsnummer: AN-5502
Datum des Angebots: 07.02.2025
Auftraggeber: Bäckerei Krüger GmbH
Liefertermin: 03.03.2025
Nettobetrag: EUR 12.450
Mehrwertsteuer: 19,0 Prozent
Gesamtbetrag: 14 815,50 €
Skonto 2 % bei Zahlung innerhalb von 14 Tagen.
Telefon: +49 (0)711 / 234 56-78
Knetmaschine;2;4800
Backblech;60;47,50
"""
CHINESE = """技术服务合同
合同编号：JS-2025-0042
委托方：成都锦云科技有限公司
受托方：武汉江汉软件研究院
签订日期：2025年3月8日
服务费总额：人民币96,500.00元（大写：玖万陆仟伍佰元整）
首期款于2025年4月15日前支付人民币28,950元。
服务期限：18个月
违约金按每日0.3%计算。
联系电话：0532-8765 4321
项目 | 数量 | 单价
数据清洗 | 4 | 12,000.00
系统维护 | 6 | 8,083.33
"""
CHINESE_AGAIN = """技术服务合同书
合同号：JS-2025-0042
委托方:成都锦云科技有限公司
受托方:武汉江汉软件研究院
签订日期：二〇二五年三月八日
服务费总额：¥96,500（大写：玖万陆仟伍佰元整）
首期款于2025-04-15前支付人民币2.895万元。
服务期限：18个月
违约金按每日0.30%计算。
电话：0532 87654321
数据清洗;4;12000
系统维护;6;8083.33
"""
PAIRS = {"en": (ENGLISH, ENGLISH_AGAIN), "de": (GERMAN, GERMAN_AGAIN), "zh": (CHINESE, CHINESE_AGAIN)}
# The pair, what stands in its second paper, and what stands there instead.
PLANTED = [
    ("en", "PO-7731", "PO-7713"),
    ("en", "2025-03-04", "2025-04-03"),
    ("en", "28/03/2025", "27/03/2025"),
    ("en", "7:30 am", "7:45 am"),
    ("en", "1.85 t", "1.58 t"),
    ("en", "2.50 percent", "3.50 percent"),
    ("en", "beam;16;", "beam;18;"),
    ("en", "240;3.15", "240;3.51"),
    ("en", "£2,108.00", "£2,180.00"),
    ("de", "AN-5502", "AN-5520"),
    ("de", "07.02.2025", "09.02.2025"),
    ("de", "03.03.2025", "13.03.2025"),
    ("de", "EUR 12.450", "EUR 12.540"),
    ("de", "19,0 Prozent", "7,0 Prozent"),
    ("de", "14 815,50", "14 851,50"),
    ("de", "maschine;2;", "maschine;3;"),
    ("de", "60;47,50", "60;74,50"),
    ("zh", "JS-2025-0042", "JS-2025-0024"),
    ("zh", "锦云科技", "锦石科技"),
    ("zh", "三月八日", "三月十八日"),
    ("zh", "¥96,500", "¥95,600"),
    ("zh", "2025-04-15", "2025-04-25"),
    ("zh", "2.895万元", "2.985万元"),
    ("zh", "18个月", "12个月"),
    ("zh", "0.30%", "0.03%"),
    ("zh", "0532 87654321", "0532 87654312"),
    ("zh", "清洗;4;", "清洗;5;"),
    ("zh", "8083.33", "8038.33"),
]
