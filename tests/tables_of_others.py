"""Tables in the shape in which regulators, operators and departments really send them; the content is made up."""

from __future__ import annotations

from datetime import datetime

from tests.workbooks import Cell, sheet, workbook

ARCEP = (
    "code_op;nom_op;num_site;id_site_partage;id_station_anfr;x;y;latitude;longitude;nom_reg;nom_dep;insee_dep;nom_com;"
    "insee_com;site_2g;site_3g;site_4g;site_5g;mes_4g_trim;site_ZB;site_DCC;site_strategique;site_capa_240mbps;"
    "date_ouverturecommerciale_5g;site_5g_700_m_hz;site_5g_800_m_hz;site_5g_1800_m_hz;site_5g_2100_m_hz;"
    "site_5g_3500_m_hz\n"
    "20801;Orange;00000001A1;;0752290001;652381;6862047;48.8570;2.3510;Île-de-France;Paris;75;Paris;75104;"
    "1;1;1;1;0;0;0;0;1;2020-12-15;0;0;0;1;1\n"
    "20801;Orange;00000002A1;P0042;0752290002;655000;6860000;48.8390;2.3860;Île-de-France;Paris;75;Paris;75112;"
    "0;1;1;0;0;0;0;0;0;;0;0;0;0;0\n"
    "20820;Bouygues Telecom;T11001;P0042;0752290003;655002;6860001;48.8391;2.3861;Île-de-France;Paris;75;Paris;75112;"
    "1;1;1;1;0;0;0;0;0;2021-03-01;0;0;0;0;0\n"
)

FREE = (
    "Dpt,cp,localite,latitude,longitude,Voix,Data\n"
    "01,01000,BOURG EN BRESSE,46.2052,5.2255,HS,HS\n"
    "2A,20000,AJACCIO,41.9192,8.7386,OK,HS\n"
    "75,75004,PARIS,48.8570,2.3510,OK,OK\n"
)

ORANGE = (
    "Liste des antennes provisoirement hors service\n"
    "Orange France;;\n"
    "Département;Commune;Latitude;Longitude;Service Voix / SMS 2G;Service Voix / SMS 3G;Service Voix / SMS 4G;"
    "Service de données 3G;Service de données 4G;Service de données 5G;Antenne-relais gérée par Orange;"
    "Date et heure début panne ou maintenance antenne-relais pour le Service Voix / SMS;"
    "Date de rétablissement prévue pour le Service Voix / SMS;"
    "Date et heure début panne ou maintenance antenne-relais pour le Service de données;"
    "Date de rétablissement prévue pour le Service de données\n"
    "38;GRENOBLE;45.1885;5.7245;HS;HS;HS;HS;HS;;OUI;"
    "22/11/2026 06:31:05;24/11/2026;22/11/2026 06:31:05;24/11/2026\n"
    "69;VILLÉ;45.7640;4.8357;OK;OK;OK;OK;HS;HS;NON;;;21/11/2026 23:10:00;25/11/2026\n"
)

SFR = (
    "SFR;;;;;;\n"
    "Sites hors service au 22/11/2026;;;;;;\n"
    ";;;;;;\n"
    "Departement;code_insee_commune;Commune;X_WGS84_GPS;Y_WGS84_GPS;Voix/SMS;internet mobile\n"
    "13;13055;MARSEILLE;43.2965;5.3698;HS;HS\n"
    "29;29019;BREST;48.3904;-4.4861;OK;HS\n"
    ";;;;;;\n"
    "HS : service indisponible;;;;;;\n"
    "OK : service disponible;;;;;;\n"
    "Les informations sont données à titre indicatif.;;;;;;\n"
    ";;;;;;\n"
    "Contact : voir le site;;;;;;\n"
    ";;;;;;\n"
    "Fin;;;;;;\n"
)

BOUYGUES = (
    "Code SI;Commune;Code INSEE;Lat;Lon;2Gvoix;3Gvoix;3Gdata;4Gdata;5Gdata;voix;data;raison;détail;début;fin\n"
    "T11001;PARIS 12;75112;48.8391;2.3861;HS;HS;HS;HS;OK;HS;HS;Incident;Coupure d'énergie;2026-11-22 05:12;"
    "2026-11-23 18:00\n"
    "T22002;NANTES;44109;47.2184;-1.5536;OK;OK;OK;HS;;OK;HS;Maintenance;;2026-11-23;\n"
)

OPENCELLID_HEADER = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal\r\n"
OPENCELLID = (
    "GSM,452,4,10151,12345,0,108.8004,15.1203,1500,12,1,1459742520,1609459200,0\r\n"
    "UMTS,452,2,10151,131078,77,108.8104,15.1213,1500,12,1,1459742520,1609459300,-90\r\n"
    "LTE,452,1,20011,128121198,110,108.8204,15.1223,1000,3,1,1459742520,1609459400,0\r\n"
    "NR,452,4,20011,68719476735,1,108.8304,15.1233,1000,3,1,1459742520,1609459500,0\r\n"
    "CDMA,452,3,1,1,0,108.8304,15.1233,1000,3,1,1459742520,1609459500,0\r\n"
    "LTE,208,1,20011,128121199,110,2.35,48.85,1000,3,1,1459742520,1609459600,0\r\n"
)

# Northings and eastings as surveyors call them: X and Y; VN-2000 / TM-3 108-00.
DEPARTMENT: list[list[Cell]] = [
    ["UBND TỈNH QUẢNG NGÃI"],
    ["SỞ KHOA HỌC VÀ CÔNG NGHỆ"],
    [],
    ["BẢNG TỔNG HỢP HIỆN TRẠNG TRẠM BTS TRÊN ĐỊA BÀN TỈNH"],
    ["(Tính đến ngày 20/11/2026)"],
    [],
    ["STT", "Doanh nghiệp", "Mã trạm", "Tên trạm", "Tọa độ VN-2000", None, "Công nghệ", "Chiều cao cột (m)",
     "Tình trạng", "Ngày cập nhật", "Ghi chú"],
    [None, None, None, None, "X (m)", "Y (m)", None, None, None, None, None],
    ["I", "Khu vực đồng bằng"],
    [1, "Viettel", "QNI0001", "Trạm Bình Châu", "1.686.312,45", "604.120,5", "2G/3G/4G", 45, "Hoạt động",
     datetime.fromisoformat("2026-11-19"), None],
    [2, "VNPT", "QNI0002", "Trạm Nghĩa Lộ", 1671000.0, 588000.0, "4G, 5G", "30,5", "Mất điện lưới", "18/11/2026",
     "chờ sửa"],
    [],
    ["II", "Khu vực miền núi"],
    [3, "Viễn thông Quân đội", "QNI0003", "Trạm Sơn Tây", "1.662.750", "532.480,25", "4G", 50.0,
     "Bảo dưỡng định kỳ", 46345, None],
    ["Tổng cộng", 3],
    [None, None, None, None, None, "Người lập bảng"],
]  # fmt: skip


def department() -> bytes:
    """The department's workbook."""
    merged = ("A1:K1", "A2:K2", "A4:K4", "A5:K5", "E7:F7", "A7:A8", "C7:C8", "A15:B15")
    return workbook(DEPARTMENT, name="Trạm BTS", merged=merged)


def department_sheet() -> str:
    """Its sheet."""
    return sheet(DEPARTMENT)
