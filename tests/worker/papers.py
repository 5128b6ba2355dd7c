"""The papers that the suite renders: models as the worker gives them, names in many scripts."""
AGENCY = {"zh": "內政部移民署", "en": "National Immigration Agency, Ministry of the Interior"}
NOTE = {"zh": "掃描條碼或輸入網址，即可查驗本文件是否真實有效。",
        "en": "Scan the code or enter the address to check that this document is genuine and in force."}
FOOTER = {"zh": "本文件以電子簽章簽署，列印本僅供參考；真偽以線上查驗結果為準。依入出國及移民法核發。",
          "en": "This document is signed electronically; a printout is for information only. Its genuineness is told by"
                " the online check. Issued under the Immigration Act."}
URL = "https://permit.example.gov.tw/verify/7Q2M-4KXD-91TN?c=AF3209"

LATIN = "WIJAYAKUSUMA, SITI NURHALIZA"
CHINESE = "陳美玲"
THAI = "นางสาวกนกวรรณ ศรีสุวรรณพงษ์เจริญชัย"
VIETNAMESE = "Nguyễn Thị Phương Thảo"
ARABIC = "محمد عبد الرحمن الفاروق"
BURMESE = "မောင်မောင်အောင်"
NAMES = {"Latin": LATIN, "Chinese": CHINESE, "Thai": THAI, "Vietnamese": VIETNAMESE, "Arabic": ARABIC,
         "Burmese": BURMESE}
THAI_LONG = ("บ้านเลขที่ ๑๒๓/๔๕ หมู่บ้านสุขสันต์ ถนนสุขุมวิท แขวงคลองเตยเหนือ เขตวัฒนา กรุงเทพมหานคร ๑๐๑๑๐ "
             "ประเทศไทย ใกล้สถานีรถไฟฟ้าพร้อมพงษ์")
ARABIC_LONG = ("شارع الملك فهد، حي العليا، مبنى رقم ٤٥، الطابق الثالث، شقة رقم ١٢، الرياض ١٢٢١٤، المملكة العربية السعودية، "
               "بجوار المكتبة الوطنية")
CHINESE_LONG = ("新北市板橋區縣民大道二段七號十八樓之三，自板橋車站二號出口步行約五分鐘可達；公司於每週一至週五上午九時"
                "至下午六時開放收件，其餘時間請先以電話聯繫承辦人員。")


def row(zh, en, value, **more):
    return {"label": {"zh": zh, "en": en}, "value": value, **more}


def permit(name=VIETNAMESE.upper()):
    return {
        "kind": "permit", "date": "2026-03-02T10:15:00+08:00", "agency": AGENCY,
        "title": {"zh": "外國人居留許可證明", "en": "Certificate of Residence Permit for a Foreign Worker"},
        "number": "NIA-2026-0302-004417",
        "rows": [
            row("姓名", "Name", name, wide=True, big=True),
            row("中文姓名", "Chinese name", "阮氏芳草"),
            row("統一證號", "UI No.", "A800000014"),
            row("國籍", "Nationality", "越南 Viet Nam"),
            row("性別", "Sex", "女 F"),
            row("出生日期", "Date of birth", "1994-07-21"),
            row("護照號碼", "Passport No.", "C1234567"),
            row("核發日期", "Date of issue", "2026-03-02"),
            row("居留期限", "Valid until", "2029-03-01"),
            row("居留事由", "Purpose of residence", "應聘 Employment (Manufacturing)", wide=True),
        ],
        "sections": [
            {"title": {"zh": "雇主", "en": "Employer"}, "rows": [
                row("名稱", "Name", "宏遠精密工業股份有限公司\nHung Yuan Precision Industries Co., Ltd.", wide=True),
                row("統一編號", "Business No.", "04595257"),
                row("聘僱許可函", "Work permit letter", "勞動發事字第1150012345號"),
                row("地址", "Address", CHINESE_LONG, wide=True),
            ]},
        ],
        "qr": URL, "qr_note": NOTE, "footer": FOOTER,
    }


def receipt():
    return {
        "kind": "receipt", "date": "2026-03-02T10:15:00+08:00", "agency": AGENCY,
        "title": {"zh": "規費收據", "en": "Receipt for Fees"}, "number": "R-115-03-0000812",
        "rows": [
            row("繳款人", "Payer", THAI, wide=True),
            row("實收金額", "Amount received", "NT$ 3,000", big=True),
            row("繳費方式", "Paid by", "信用卡 Credit card"),
            row("交易序號", "Transaction", "2603021015330817"),
            row("繳費時間", "Paid at", "2026-03-02 10:15:33"),
        ],
        "sections": [{"title": {"zh": "明細", "en": "Items"}, "rows": [
            row("外僑居留證", "Resident certificate", "NT$ 1,000 × 3 年 years", wide=True),
            row("收件案號", "Case No.", "C-2026-0298831"),
            row("承辦單位", "Office", "臺北市服務站"),
        ]}],
        "qr": URL, "qr_note": NOTE, "footer": FOOTER, "watermark": "樣張 SPECIMEN",
    }


def filing(rows=46):
    return {
        "kind": "filing", "date": "2026-03-02T10:15:00+08:00", "agency": AGENCY,
        "title": {"zh": "申請案件紀錄", "en": "Record of an Application"}, "number": "C-2026-0298831",
        "rows": [
            row("申請人", "Applicant", ARABIC, wide=True, big=True),
            row("原址", "Home address", ARABIC_LONG, wide=True),
            row("泰文地址", "Address in Thai", THAI_LONG, wide=True),
            row("中文地址", "Address in Chinese", CHINESE_LONG),
            row("緬文姓名", "Name in Burmese", BURMESE),
            row("附記", "Remark", "A" * 160, wide=True),
        ],
        "sections": [
            {"title": {"zh": "聯絡人", "en": "Contacts"}, "rows": [
                row("姓名", "Name", LATIN), row("姓名", "Name", CHINESE),
                row("姓名", "Name", THAI), row("姓名", "Name", ARABIC),
            ]},
            {"title": {"zh": "處理歷程", "en": "History"}, "rows": [
            row(f"第 {i} 步", f"Step {i}", f"{LATIN} · 2026-03-{1 + i % 28:02d} 09:{i % 60:02d} 收件完成") for i in
            range(1, rows + 1)]},
            {"title": {"zh": "陳述", "en": "Statement"}, "rows": [
                row("內容", "Text", " ".join([CHINESE_LONG, THAI_LONG, VIETNAMESE] * 16), wide=True)]}],
        "qr": URL, "qr_note": NOTE, "footer": FOOTER,
    }


# People as they are: native and Latin spelling.
PEOPLE = {
    "Chinese": ("陳美玲𠮷", "CHEN, MEI-LING"),
    "Vietnamese": ("Nguyễn Thị Phương Thảo", "NGUYEN THI PHUONG THAO"),
    "Thai": (THAI, "SRISUWANPONGCHAROENCHAI, KANOKWAN"),
    "Burmese": ("ဒေါ်ခင်ဆွေဝင်းမြင့်", "KHIN SWE WIN MYINT"),
    "Mongolian": ("Батбаярын Өнөрцэцэг Үржинханд", "BATBAYAR UNURTSETSEG"),
    "Mononym": ("Suharto", "SUHARTO"),
    "60 letters": ("Maria Concepción de la Cruz y Villanueva-Macapagal del Rosar",
                   "MARIA CONCEPCION DE LA CRUZ Y VILLANUEVA-MACAPAGAL DEL ROSAR"),
    "60 letters without a space": ("นางสาวกนกวรรณศรีสุวรรณพงษ์เจริญชัยรัตนโกสินทร์มหินทรายุธยากุล"[:60],
                                   "KRUNGTHEPMAHANAKHONAMONRATTANAKOSINMAHINTHARAYUTTHAYAMAHADIL"),
    "60 in Burmese": ("မောင်မောင်အောင်ခင်ဆွေဝင်းမြင့်သန်းထွန်းလှိုင်ဖြိုးကျော်စွာ", "MAUNG MAUNG AUNG KHIN SWE"),
}


def permit_of(native, latin):
    model = permit(latin)
    model["rows"][1] = row("原文姓名", "Name in own script", native)
    return model


def filing_of(native, latin):
    return {
        "kind": "filing", "date": "2026-03-02T10:15:00+08:00", "agency": AGENCY, "number": "1150000123",
        "title": {"zh": "收件憑證", "en": "Receipt of Filing"},
        "rows": [row("案號", "Case No.", "1150000123", big=True), row("收件時間", "Filed", "2026-03-02 10:15"),
                 row("雇主", "Employer", "宏遠精密工業股份有限公司 Hung Yuan Precision Industries Co., Ltd.", wide=True)],
        "sections": [{"title": {"zh": "移工", "en": "Worker"}, "rows": [
            row("英文姓名", "Name in Latin letters", latin), row("原文姓名", "Name in own script", native),
            row("國籍", "Nationality", "泰國 Thailand (THA)"), row("性別", "Sex", "女 Female")]}],
        "footer": FOOTER,
    }
