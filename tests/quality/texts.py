"""Texts of the pages that `make quality` reads. They are held: engines are tuned with those of tests/engines.

All were written for this, and only measured. Whoever changes an engine to read one of them better has made it a tuned
one, and writes another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Writing:
    """What stands on a page, line by line; in a table a line is a row of cells."""

    lines: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()

    @property
    def text(self) -> str:
        return "\n".join([*self.lines, *(" ".join(row) for row in self.table)])


HELD: Mapping[str, Writing] = {
    "English": Writing(
        [
            "TOWN LIBRARY OF WESTMERE",
            "Reader's card No. 40773 was issued on 12 June 2023.",
            "Books may be kept for four weeks and renewed twice;",
            "a late return costs 15p per day (at most £6.00).",
            "Quiet rooms: 2nd floor, Mon-Fri 9:30 to 18:45.",
            "Maps, atlases & newspapers cannot be borrowed.",
            "Visitors with questions ask Ms Quigley, ext. 508,",
            "or write to help@westmere-library.example",
        ]
    ),
    "German": Writing(
        [
            "Mietspiegel der Gemeinde Großräschen 2023",
            "Die Höhe der Nebenkosten hängt vom Heizöl ab.",
            "Für Möbel übernimmt der Eigentümer keine Gewähr.",
            "Kündigung: schriftlich, drei Monate zum Quartal.",
            "Kaltmiete 1.284,60 €, Stellplatz 55,00 €",
            "Fußböden sind jährlich zu ölen (§ 7 Abs. 2).",
            "Schäden meldet man Herrn Jäger unter 0351/77218.",
        ]
    ),
    "French": Writing(
        [
            "Règlement intérieur du musée de la Dentelle",
            "Entrée : 11 €, gratuite le premier dimanche.",
            "Les élèves sont accueillis dès 9 h 15.",
            "Il est défendu de toucher aux pièces brodées.",
            "L'atelier « Fuseaux » a lieu le mercredi à midi.",
            "Numéro d'inventaire : 1908-Ç-27, prêt de Lœuilly",
            "Au café, goûtez la tarte aux mûres et la crème.",
        ]
    ),
    "Chinese": Writing(
        [
            "云岭县第三人民医院检验报告单",
            "姓名：欧阳雪梅　性别：女　年龄：47岁",
            "送检日期：2023年11月28日，标本编号：K-30957",
            "白细胞计数为每升6.82×10的九次方，属正常范围。",
            "空腹血糖偏高，建议两周后复查并控制饮食。",
            "药费合计人民币1,936.40元，其中医保支付1,200元。",
            "如有疑问，请拨打服务电话：0871-6512 4408",
            "审核医师：范志强",
        ]
    ),
    "Mixed table": Writing(
        table=[
            ["部门 Unit", "人数 Staff", "预算 Budget", "完成率 Done"],
            ["研发中心 R&D", "136", "8,250.75", "91.4%"],
            ["客户服务 Support", "58", "1,047.20", "100%"],
            ["仓储物流 Depot", "209", "3,690.00", "76.8%"],
            ["海外销售 Export", "44", "5,518.05", "83.5%"],
        ]
    ),
}
