"""Titles of help pages in ten languages and of wares with codes, each with the word that it is asked for by.

Every title is a frame with a word of its own. They were written for this bench.
"""

from __future__ import annotations

from dataclasses import dataclass

FRAMES = {
    "chinese": "如何更换{},关于{}的常见问题,{}使用说明,无法找到{}怎么办,请重新设置{}后再试",
    "japanese": "{}を変更する方法,{}についてのよくある質問,新しい{}の追加,{}が表示されない場合,古い{}を削除します",
    "korean": "{}을 변경하는 방법,새로운 {}를 추가하기,{}에 대한 자주 묻는 질문,{}가 표시되지 않을 때,오래된{}삭제",
    "thai": "วิธีเปลี่ยน{}ของคุณ,คำถามที่พบบ่อยเกี่ยวกับ{},การเพิ่ม{}ใหม่,ไม่พบ{}ต้องทำอย่างไร,ลบ{}เก่าออก",
    "arabic": "كيفية تغيير {},أسئلة شائعة عن {},إضافة {} إلى القائمة,تعذر العثور على {},حذف {} نهائيا",
    "hebrew": "כיצד לשנות {},שאלות נפוצות על {},הוספת {} לרשימה,לא ניתן למצוא {},מחיקת {} לצמיתות",
    "hindi": "{} कैसे बदलें,{} के बारे में सामान्य प्रश्न,नया {} जोड़ना,{} नहीं मिल रहा है,पुराना {} हटाएँ",
    "greek": "Πώς να αλλάξετε: {},Συχνές ερωτήσεις για {},Προσθήκη {} στη λίστα,Δεν βρέθηκε {},Οριστική διαγραφή {}",
    "turkish": "{} nasıl değiştirilir,{} hakkında sık sorulanlar,Yeni {} ekleme,{} bulunamıyor,Eski {} silme",
    "german": "Der {} im Überblick,Ein neuer {},Was beim {} zu beachten ist,Warum der {} fehlt,Alter {} und Neuer",
}

WORDS = {
    "chinese": (
        "密码 邮箱 订单 退款 发票 优惠券 客服 验证码 手机号码 银行卡 隐私 账户 积分 地址 礼品卡 耳机 充电器 电脑 键盘 打印机 "
        "屏幕 电池 相机 冰箱 洗衣机 空调 自行车 雨伞 帽子 手套 围巾 毛巾 枕头 窗帘 地毯 沙发 书架 台灯 茶壶 咖啡 "
        "面包 牛奶 鸡蛋 苹果 葡萄 西瓜 米饭 饺子 医院 学校 图书馆 火车站 机场 护照 签证 合同 工资 保险 税务 字体"
    ),
    "japanese": (
        "パスワード メールアドレス 注文履歴 返金 請求書 クーポン 電話番号 住所 銀行口座 プライバシー 会員証 ポイント 冷蔵庫 "
        "洗濯機 自転車 充電器 画面 電池 写真 動画 音楽 辞書 切符 駅 空港 病院 学校 図書館 郵便局 警察署 "
        "りんご みかん ぶどう たまご 牛乳 お茶 コーヒー 弁当 箸 傘 帽子 靴下 手袋 時計 眼鏡 椅子 机 本棚 布団 毛布 "
        "契約 給料 保険 税金 印刷 フォント キーボード プリンター サーバー カメラ"
    ),
    "korean": (
        "비밀번호 이메일 주문 환불 영수증 쿠폰 전화번호 주소 은행계좌 개인정보 회원증 포인트 냉장고 세탁기 자전거 충전기 "
        "화면 배터리 사진 동영상 음악 사전 승차권 기차역 공항 병원 학교 도서관 우체국 경찰서 사과 포도 수박 달걀 우유 "
        "녹차 커피 도시락 젓가락 우산 모자 양말 장갑 시계 안경 의자 책상 책장 이불 베개 계약 월급 보험 세금 인쇄 글꼴 "
        "키보드 프린터 서버 카메라"
    ),
    "thai": (
        "รหัสผ่าน อีเมล คำสั่งซื้อ เงินคืน ใบเสร็จ คูปอง เบอร์โทรศัพท์ ที่อยู่ บัญชีธนาคาร บัตรเครดิต สมาชิก คะแนน ตู้เย็น "
        "เครื่องซักผ้า จักรยาน ที่ชาร์จ หน้าจอ แบตเตอรี่ รูปถ่าย วิดีโอ เพลง พจนานุกรม ตั๋ว สถานีรถไฟ สนามบิน โรงพยาบาล "
        "โรงเรียน ห้องสมุด ไปรษณีย์ ตำรวจ แอปเปิล องุ่น แตงโม ไข่ไก่ นมสด ชาเขียว กาแฟ ข้าวกล่อง ตะเกียบ ร่ม หมวก ถุงเท้า "
        "ถุงมือ นาฬิกา แว่นตา เก้าอี้ โต๊ะ ชั้นหนังสือ ผ้าห่ม หมอน สัญญา เงินเดือน ประกัน ภาษี เครื่องพิมพ์ ตัวอักษร "
        "คีย์บอร์ด กล้อง เซิร์ฟเวอร์ ลายเซ็น"
    ),
    "arabic": (
        "كَلِمَة بَرِيد طَلَب فَاتُورَة قَسِيمَة هَاتِف عُنْوَان حِسَاب خُصُوصِيَّة عُضْوِيَّة ثَلَّاجَة غَسَّالَة دَرَّاجَة شَاحِن شَاشَة بَطَّارِيَّة صُورَة "
        "فِيلْم مُوسِيقَى قَامُوس تَذْكِرَة مَحَطَّة مَطَار مُسْتَشْفَى مَدْرَسَة مَكْتَبَة شُرْطَة تُفَّاح عِنَب بِطِّيخ بَيْض حَلِيب شَاي قَهْوَة خُبْز "
        "مِظَلَّة قُبَّعَة جَوْرَب قُفَّاز سَاعَة نَظَّارَة كُرْسِيّ طَاوِلَة بَطَّانِيَّة وِسَادَة عَقْد رَاتِب تَأْمِين ضَرِيبَة طَابِعَة خَطّ كَامِيرَا "
        "خَادِم تَوْقِيع أَلْوَان إِعْلَان آلَة مِفْتَاح سَيَّارَة حَدِيقَة"
    ),
    "hebrew": (
        "סִיסְמָה דּוֹאַר הַזְמָנָה חֶשְׁבּוֹנִית שׁוֹבֵר טֶלֶפוֹן כְּתֹבֶת בַּנְק פְּרָטִיּוּת חָבֵר מְקָרֵר מְכוֹנָה אוֹפַנַּיִם מַטְעֵן מָסָךְ סוֹלְלָה תְּמוּנָה "
        "סֶרֶט מוּזִיקָה מִלּוֹן כַּרְטִיס תַּחֲנָה מַטּוֹס רוֹפֵא גַּנֶּנֶת סִפְרִיָּה מִשְׁטָרָה תַּפּוּחַ עֲנָבִים אֲבַטִּיחַ בֵּיצָה חָלָב תֵּה קָפֶה לֶחֶם "
        "מִטְרִיָּה כּוֹבַע גֶּרֶב כְּפָפָה שָׁעוֹן מִשְׁקָפַיִם כִּסֵּא שֻׁלְחָן שְׂמִיכָה כָּרִית חוֹזֶה מַשְׂכֹּרֶת בִּטּוּחַ מַס מַדְפֶּסֶת גּוֹפָן מַצְלֵמָה "
        "שָׁרָת חֲתִימָה צֶבַע מוֹדָעָה מַפְתֵּחַ גִּנָּה עִפָּרוֹן מַחְבֶּרֶת"
    ),
    "hindi": (
        "पासवर्ड ईमेल ऑर्डर धनवापसी रसीद कूपन फ़ोन पता बैंक गोपनीयता सदस्यता अंक फ्रिज मशीन साइकिल चार्जर पर्दा बैटरी तस्वीर वीडियो "
        "संगीत शब्दकोश टिकट स्टेशन हवाईअड्डा अस्पताल विद्यालय पुस्तकालय डाकघर पुलिस सेब अंगूर तरबूज़ अंडा दूध चाय कॉफ़ी रोटी "
        "चम्मच छाता टोपी मोज़ा दस्ताना घड़ी चश्मा कुर्सी मेज़ अलमारी कंबल तकिया अनुबंध वेतन बीमा कर मुद्रक फ़ॉन्ट कैमरा सर्वर "
        "हस्ताक्षर विज्ञापन"
    ),
    "greek": (
        "κωδικός ταχυδρομείο παραγγελία επιστροφή απόδειξη κουπόνι τηλέφωνο διεύθυνση τράπεζα απόρρητο συνδρομή ψυγείο πλυντήριο "
        "ποδήλατο φορτιστής οθόνη μπαταρία φωτογραφία ταινία μουσική λεξικό εισιτήριο σταθμός αεροδρόμιο νοσοκομείο σχολείο "
        "βιβλιοθήκη αστυνομία μήλο σταφύλι καρπούζι αυγό γάλα τσάι καφές ψωμί ομπρέλα καπέλο κάλτσα γάντι ρολόι γυαλιά καρέκλα "
        "τραπέζι κουβέρτα μαξιλάρι σύμβαση μισθός ασφάλεια φόρος εκτυπωτής γραμματοσειρά κάμερα διακομιστής υπογραφή χρώμα "
        "διαφήμιση κλειδί κήπος μολύβι"
    ),
    "turkish": (
        "şifre eposta sipariş iade fatura kupon telefon adres banka gizlilik üyelik puan buzdolabı çamaşır bisiklet şarj ekran "
        "pil fotoğraf İzlence müzik sözlük bilet istasyon havalimanı hastane okul kütüphane postane ışık elma üzüm karpuz "
        "yumurta süt çay kahve ekmek kaşık şemsiye şapka çorap eldiven saat gözlük sandalye masa dolap battaniye yastık "
        "sözleşme maaş sigorta vergi yazıcı yazıtipi kamera sunucu imza ılıca"
    ),
    "german": (
        "Straßenbahn+fahrplan Kühl+schrank Zahn+bürste Winter+mantel Garten+schlauch Küchen+tisch Fahrrad+helm Haustür+schlüssel "
        "Büro+stuhl Regen+schirm Kaffee+maschine Wasch+pulver Bücher+regal Teppich+boden Fenster+rahmen Dach+ziegel "
        "Brief+umschlag Tinten+patrone Netz+stecker Bildschirm+halter Kinder+wagen Gäste+zimmer Frühstücks+ei Apfel+kuchen "
        "Kirsch+baum Gemüse+suppe Schwimm+becken Berg+hütte Reise+koffer Flug+hafen Bahn+steig Polizei+wache Kranken+haus "
        "Arbeits+vertrag Lohn+steuer Lebens+versicherung Miet+spiegel Grundstücks+grenze Wetter+bericht Sonnen+creme "
        "Hunde+leine Katzen+klappe Vogel+käfig Pferde+sattel Schuh+sohle Hand+tasche Arm+reif Hals+kette Brillen+gestell "
        "Uhr+zeiger Gitarren+saite Klavier+lehrer Noten+ständer Theater+karte Kino+leinwand Zeitungs+artikel Wörter+buch "
        "Druck+auftrag Zeichen+satz Seiten+rand"
    ),
}
"""Sixty words a language, written in full with their marks; of German ones, what stands before the plus and after it."""

CODES = (
    "AB-123/4|ab1234|AB 123 4;54-OR323014|323014|54or323014;HP-305XL|hp 305 xl|hp305xl;0x80070057|80070057|0X80070057;"
    "M6x20|m6 x 20|m6;M8x35|m8x35|M8 x 35;USB-C|usbc|usb c;T-shirt|tshirt|t shirt;Node.js|nodejs|node js;.NET|dotnet|.net;"
    "C++|cpp|c++;C#|csharp|c#;F#|fsharp|f#;iPhone 15|iphone15|iPhone-15;Galaxy S24|s24|galaxys24;RTX 4070Ti|rtx4070ti|4070 ti;"
    "ISO 9001|iso9001|ISO-9001;DIN EN 60335|en60335|din en 60335;Wi-Fi|wifi|wi fi;e-mail|email|E-Mail;O'Reilly|oreilly|O’Reilly;"
    "getUserById|get user by id|getuserbyid;setTimeout|settimeout|set timeout;pg_stat_activity|pg stat activity|pg_stat_activity;"
    "v2.1.3|2.1.3|V2.1.3;192.168.0.1|192.168.0.1|192.168;RFC 7231|rfc7231|RFC-7231;CVE-2024-3094|cve 2024 3094|2024-3094;"
    "E14 LED|e14led|E14;GU10 5W|gu10 5 w|gu10;AAA-LR03|lr03|aaalr03;CR2032|cr 2032|CR-2032;B2B portal|b2b|B2B;"
    "MP3 player|mp3|mp-3;4K monitor|4k|4 k;1080p webcam|1080p|1080 p;SKU ZX-9931|zx9931|ZX 9931;BMW-320d|bmw320d|320d;"
    "A4-80g|a480g|A4 80 g;KB5034441|kb 5034441|5034441;ERR_CONN_RESET|err conn reset|err_conn_reset;WH-1000XM5|wh1000xm5|1000xm5;"
    "Type-II|typeii|type ii;AT&T plan|att|at&t;R&D lab|r&d|R & D;Objective-C|objectivec|objective-c;TCP/IP|tcp ip|tcp/ip;"
    "ASP.NET Core|aspnet|asp.net;Vue.js|vuejs|vue.js;x86-64|x86 64|x8664"
)
"""Names as a title writes them, and two ways each in which people ask for them."""


@dataclass(frozen=True, slots=True)
class TitleQuery:
    """A query and the title that answers it."""

    query: str
    title: str


def read_titles(language: str) -> list[TitleQuery]:
    """Return the titles of a language, each with its word as the title writes it."""
    frames = FRAMES[language].split(",")
    words = WORDS[language].split()
    return [_frame(frames[number % len(frames)], word) for number, word in enumerate(words)]


def read_codes() -> list[TitleQuery]:
    """Return every name of `CODES` as a title, asked for as it is written and in both other ways."""
    lines = [line.split("|") for line in CODES.split(";")]
    return [TitleQuery(query, f"Order page for {line[0]} in stock") for line in lines for query in line]


def _frame(frame: str, word: str) -> TitleQuery:
    first, _, last = word.partition("+")
    whole = first + last.lower()
    return TitleQuery(last.capitalize() if last else whole, frame.format(whole))
