"""What must be masked, marked with « and », and what must not: written for clickloop, no real person's."""

from __future__ import annotations

EMAILS = """
«anna@example.com»
reset password for «anna.schmidt@example.com»
«first.last+tag@mail.example.co.uk» cannot log in
mailto:«info@example.org»
where is the invoice of «a_b-c%d@sub.domain.example»
my address is «JOHN.DOE@EXAMPLE.COM».
«o'neill@example.ie» locked out
<«root@host.example.net»> bounced
forward mail from «x@y.de» to «z@y.de»
«müller@example.de» umlaut
«info@bücher.example» domain with umlaut
contact («sales-eu@example-shop.com»)
"«jane.doe@example.com»"
«user123@gmail.com» quota
«name\uff20example.jp» full width
«anna [at] example.com»
«anna(at)example.com» spam protected
«anna [at] example [dot] com»
«anna(at)example(dot)de»
email:«me@example.io»;phone unknown
«1234567@qq.com» login
«hello@xn--bcher-kva.example» punycode
cc «a.b.c.d@e.f.g.example.com»
«support_2026@example.travel»
share calendar with «team@example.consulting» please
«почта@пример.рф» не работает
«"john doe"@example.com» quoted
who is «no-reply@accounts.example.com»?
«bob@example.com»,«eve@example.com»
account «x.y@example.fr» bloqué
«anna at example dot com»
«tom @ example.com»
""".strip().splitlines()

CARDS = """
«4111 1111 1111 1111»
card «4111111111111111» declined
«4242-4242-4242-4242» charged twice
«5555 5555 5555 4444»
refund to «5105105105105100» please
«2223 0031 2200 3222» two-series
«3782 822463 10005» amex
«378282246310005»
«3714-496353-98431»
«6011 1111 1111 1117»
«6011000990139424» was rejected
«3530 1113 3330 0000» jcb
«3566002020360505»
«3056 930902 5904» diners
«30569309025904»
«38520000023237» diners too
«6200 0000 0000 0005» unionpay
«6759 6498 2643 8453» maestro
«2200 0000 0000 0004» mir
visa «4012 8888 8888 1881» expires 12/27
cvv 123 for «4000056655665556»
pan=«4917610000000000»
«5200828282828210».
zahlung mit «4000 0025 0000 0003» geht nicht
carte «4970 1000 0000 0154» refusée
«4111.1111.1111.1111»
""".strip().splitlines()

PHONES = """
call «+44 20 7946 0958»
«+1 202-555-0123»
«+1 (202) 555-0123» ext
«+12025550123»
«+49 30 123456»
«+49 (0)30 123456»
«+49301234567»
«+33 6 12 34 56 78»
«+33612345678» sms not delivered
«+34 612 34 56 78»
«+39 02 1234 5678»
«+31 6 12345678»
«+32 450 00 12 34»
«+41 78 123 45 67»
«+43 664 123456»
«+48 512 345 678»
«+46 70 123 45 67»
«+45 32 12 34 56»
«+47 40 61 23 45»
«+351 912 345 678»
«+353 85 012 3456»
«+61 412 345 678»
«+64 21 123 4567»
«+91 81234 56789»
«+55 11 96123-4567»
«+52 222 123 4567»
«+81 90-1234-5678»
«+27 71 123 4567»
«+358 41 2345678»
«+420 601 123 456»
«+30 691 234 5678»
«+90 501 234 56 78»
«+86 131 2345 6789»
«+82 10-2000-0000»
«+971 50 123 4567»
«+7 912 345-67-89»
«+65 8123 4567»
«+852 5123 4567»
«0044 20 7946 0958»
«0049 30 123456» geht nicht
«(202) 555-0123»
«202-555-0123» blocked
«202.555.0123»
«202 555 0123» forwarding
«1-202-555-0123»
«1 (202) 555-0123»
«020 7946 0958» voicemail
«0121 234 5678»
«07400 123456»
«(020) 7946 0958»
«030 123456» nicht erreichbar
«030/123456»
«0170/1234567»
«0170 1234567»
«01 23 45 67 89»
«06 12 34 56 78» en absence
«06.12.34.56.78»
«06-12-34-56-78»
«612 34 56 78»
«810 12 34 56» buzón
«02 1234 5678»
«312 345 6789» segreteria
«010 123 4567»
«06 12345678» voicemail
«012 34 56 78»
«021 234 56 78»
«078 123 45 67»
«0664 123456»
«12 345 67 89»
«512 345 678» poczta
«070-123 45 67»
«08-12 34 56»
«912 345 678» correio
«085 012 3456»
«(02) 1234 5678»
«0412 345 678»
«03 234 5678»
«021 123 4567»
«081234 56789»
«(11) 96123-4567»
«(11) 2345-6789»
«222 123 4567» buzón de voz
«03-1234-5678»
«090-1234-5678»
«071 123 4567»
call me at «2025550123»
tel. «0612345678»
phone: «07400123456»
telefon «030123456»
mobile «0412345678»
whatsapp «81234 56789»
fax «0301234567» kaputt
call «1-800-555-0199»
téléphone «0123456789»
☎ «02079460958»
my number is «+44 7400 123456» and I moved
did «+33 1 23 45 67 89» call?
texts from «+1-202-555-0187» are lost
«+49-170-1234567» / roaming
dial «020 7946 0958» from abroad
«2025550123»
«0612345678»
«07400123456»
«0301234567» klingelt nicht
«32 12 34 56» svarer ikke
«40 61 23 45» uten svar
«691 234 5678»
«555-0123»
""".strip().splitlines()

HARMLESS = """
how do I print envelopes
error 0x80070005
error code 0xC1900101-0x30018
KB5034441 fails to install
windows 10.0.19045.3803
version 128.0.6613.138 crashes
libreoffice 24.8.2.1 portable
python 3.11.9 vs 3.12.4
192.168.10.250 unreachable
ping 10.0.0.1 255.255.255.0
127.0.0.1:8080 refused
2001:0db8:85a3:0000:0000:8a2e:0370:7334
fe80::1ff:fe23:4567:890a
mac 00:1A:2B:3C:4D:5E
00-14-22-01-23-45 vendor
order 4005551234
order 202 555 0123
order number 512 345 678
order #114-3941689-8772232
order no. 302-8811734-5519527
Bestellung 2025 5501 23
Bestellnummer 030 123456
Rechnung 2026-000123456
invoice INV-2026-0012345
invoice 2026 01 00457
facture 01 23 45 67 89
pedido 612 34 56 78
ticket 1234567890
case 00012345678
customer 0612345678
Kundennummer 0301234567
0986452041 spark plug
0 986 452 041
bosch 0 280 158 502 injector
part 06A 905 115 D
part number 030 115 561
5Q0 615 301 F
1K0-698-151-A
A 204 420 01 20
3M54-1A189-AB
M12x1.5x40
HP 305XL 3YM62AE
toner CF259A 059A
canon CLI-581XL 2052C001
epson T02W1 C13T02W14010
brother TN-2420
intel i7-13700K 5.4 GHz
rtx 4090 24576 MB
DDR5-6000 CL30-36-36-76
samsung MZ-V9P2T0BW
WD40EFZX-68AWUN0
ST4000VN006-3CW104
EAN 4006381333931
4006381333931
GTIN 04012345678901
isbn 978-3-16-148410-0
978-0-306-40615-7
ISBN 0-306-40615-2
issn 2049-3630
UPC 036000291452
imei 490154203237518
imei 356938035643809
iccid 8901260222193212345
serial C02XL0GTJGH5
serial number 5CD1234X7Z
SN 123456789012
vin WVWZZZ1JZXW000001
iban DE89 3704 0044 0532 0130 00
tracking 1Z999AA10123456784
tracking 00340434161094042557
dhl 003404341610
fedex 7712 3456 7890
asset tag 000123456789
2026-01-05
05.01.2026
01/05/2026 10:00
2026-01-05T10:00:00Z
20260105123000
12:34:56.789
between 2024-01-01 and 2024-12-31
1700000000
unix time 1767571200
1700000000000 ms
1 234 567
1,234,567.89 EUR
12 345 678
3.14159265358979
6.02214076e23
100 000 000
16 777 216 colors
4294967295 overflow
0000000000
1234567890
12345678
9876543210987654
1111 1111 1111 1111
4111 1111 1111 1112
1234 5678 9012 3456
4005 5512 3456
5500 0000 0000
0000 0000 0000 0000
guid 550e8400-e29b-41d4-a716-446655440000
sha 9f86d081884c7d659a2feaa0c55ad015
crc 0x1A2B3C4D
port 8080 to 65535
react@18.2.0
npm i @types/node@20.11.5
foo@2x.png
icon@3x.webp blurry
docker image nginx@sha256
twitter @clickloop
meet @ noon
look at example one
user@localhost
a@b
s = x@y
section 4.2.10.3 of iso 27001
iso 8601 2026-W02-1
din 912 m8x40
RFC 7231 section 6.5.4
article 6(1)(f) gdpr 2016/679
§ 23 abs 1 nr 4
1080p60 vs 2160p120
1920x1080 3840x2160
48.8566, 2.3522
52°31'12"N 13°24'18"E
room 4-117-2
zip 10115 or 94103-1234
lot 20251105-0042
batch 240117-003-12
build 22631.3007
0x00000124 bsod
ORA-01017 ORA-12154
SQLSTATE 42P01
E-1042-77 dishwasher
F06-E22 washer
code 49 07 12
pin 0000
braun 4210201253839
1680 x 1050 display
15.4" (1680 x 1050) WSXGA+
feeder 76xx/242/252/260 2000 sheets
top 10 of 2025
""".strip().splitlines()
