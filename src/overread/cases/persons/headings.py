"""What the heading of a column says of persons, in the languages that hospitals write their tables in."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

NAME, BIRTH, ADDRESS = "names of persons", "dates of birth", "addresses"
PHONE, MAIL, NUMBER = "telephone numbers", "mail addresses", "personal numbers"


class Meaning(NamedTuple):
    """What a heading says that its column holds, and whether it may as well mean something else."""

    kind: str
    is_vague: bool


# As `_letters` gives them. English, German, French, Spanish, Italian, Portuguese, Dutch, Turkish, Polish; then Russian,
# Chinese, Japanese, Korean, Arabic, Greek and Hebrew in their own scripts and as they are transliterated.
_CLEAR = {
    NAME: """
        surname lastname familyname firstname givenname forename middlename maidenname fullname patientname nachname
        vorname familienname zuname geburtsname prenom prenoms nomdefamille nomdenaissance nomdejeunefille nomprenom
        nomcomplet apellido apellidos primerapellido segundoapellido nombrecompleto nombreyapellidos cognome
        nomecognome nomeecognome cognomenome sobrenome nomecompleto nomedamae nomedopai voornaam achternaam
        familienaam voorletters meisjesnaam soyad soyadi soyisim adsoyad adisoyadi adivesoyadi imie nazwisko
        imieinazwisko nazwiskoiimie фамилия отчество фио familiya familia imya otchestvo fio 姓名 患者姓名 病人姓名
        患者氏名 xingming 氏名 患者名 フリガナ ふりがな 氏名カナ shimei 성명 환자명 이름 الاسمالكامل اسمالمريض
        اسمالعائلة ismalmarid επωνυμο ονοματεπωνυμο שםמשפחה שםפרטי
        """,
    BIRTH: """
        dob birthdate dateofbirth birthday dateborn bornon geburtsdatum gebdatum gebdat geburtstag datedenaissance
        datenaissance ddn dnaissance fechadenacimiento fechanacimiento fechanac fecnac fnacimiento datadinascita
        datanascita ddnascita natoil datadenascimento datanascimento datanasc dtnasc dtnascimento geboortedatum
        dogumtarihi dataurodzenia dataur датарождения деньрождения datarozhdeniya 出生日期 出生年月 出生年月日 生日
        chushengriqi 生年月日 誕生日 seinengappi 생년월일 생일 تاريخالميلاد tarikhalmilad ημερομηνιαγεννησης
        תאריךלידה
        """,
    ADDRESS: """
        homeaddress streetaddress postaladdress residentialaddress addressline street streetname postcode postalcode
        zipcode placeofbirth birthplace adresse anschrift wohnort strasse strassenr strassehausnummer plz
        postleitzahl plzort geburtsort domicile codepostal lieudenaissance domicilio codigopostal lugardenacimiento
        indirizzo codicepostale luogodinascita residenza endereco morada adres straat straatnaam woonplaats
        geboorteplaats sokak postakodu ikametgah dogumyeri ulica kodpocztowy miejscezamieszkania miejsceurodzenia
        адрес улица почтовыйиндекс месторождения adreszhitelstva 地址 住址 家庭住址 邮编 邮政编码 住所 郵便番号
        jusho 주소 우편번호 العنوان الرمزالبريدي διευθυνση כתובת
        """,
    PHONE: """
        phone phonenumber telephone telephonenumber tel telno telnumber mobilephone mobilenumber mobileno cellphone
        fax faxnumber homephone workphone contactnumber telefonomovil telefonomobile telefonecelular
        telefonkomorkowy telefon telefonnummer telefonnr handynummer mobilnummer rufnummer numerodetelephone
        notelephone telefono numerodetelefono numeroditelefono cellulare telefone telemovel telefoonnummer telefoon
        mobielnummer telefonno ceptelefonu numertelefonu nrtelefonu телефон номертелефона мобильный мобильныйтелефон
        nomertelefona 电话 电话号码 手机 手机号 手机号码 联系电话 联系方式 電話 電話番号 携帯 携帯番号 전화번호
        휴대폰 الهاتف رقمالهاتف الجوال رقمالجوال τηλεφωνο טלפון
        """,
    MAIL: """
        email emailaddress mailaddress emailadresse mailadresse courriel adressemail adresseemail correo
        correoelectronico indirizzoemail enderecodeemail emailadres eposta epostaadresi adresemail электроннаяпочта
        элпочта почта 邮箱 电子邮箱 电子邮件 メール メールアドレス 이메일 البريدالالكتروني
        """,
    NUMBER: """
        ssn socialsecurity socialsecuritynumber nhsnumber nhsno medicarenumber medicaidnumber insurancenumber
        insuranceid insuranceno healthinsurancenumber policynumber policyno mrn medicalrecord medicalrecordnumber
        medicalrecordno hospitalnumber chartnumber passport passportnumber passportno nationalid nationalidnumber
        driverslicense driverlicense drivinglicence versichertennummer versichertennr versicherungsnummer
        versicherungsnr krankenversicherungsnummer krankenversichertennummer sozialversicherungsnummer
        rentenversicherungsnummer svnr kvnr personalausweis personalausweisnummer reisepass reisepassnummer
        secu securitesociale numerodesecuritesociale passeport numerodepasseport numeroassurance
        dni nie nif curp seguridadsocial numerodeseguridadsocial historiaclinica numerodehistoriaclinica nhc
        pasaporte cedula codicefiscale tesserasanitaria passaporto cartellaclinica cpf cartaosus numerodeutente
        prontuario passaporte bsn burgerservicenummer polisnummer paspoort paspoortnummer tckimlik tckimlikno tcno
        kimlikno sgkno pasaport pasaportno pesel paszport numerpaszportu nrpaszportu numerubezpieczenia снилс полис
        полисомс номерполиса паспорт номерпаспорта snils 身份证 身份证号 身份证号码 病历号 病案号 住院号 门诊号
        医保号 社保号 护照 护照号 保険証番号 被保険者番号 カルテ番号 マイナンバー パスポート番号 주민등록번호
        رقمالهوية رقمالجواز جوازالسفر رقمالملف رقمالتامين
        """,
}
# Other things go by these too: files, classes, cells of blood, the number of something, a direction.
_VAGUE = {
    NAME: "name names patientsname nom nombre nombres nome naam ad adi isim nazwa nominativo apelido first last "
    "initials person who имя 名前 名字 姓 名 الاسم اللقب ονομα שם",
    BIRTH: "birth born geb geburt naissance nacimiento nascita nascimento dogum",
    ADDRESS: "address addr direccion adress rue calle zip cep residence postal",
    PHONE: "mobile cell handy mobil portable movil celular mobiel cep komorka contact",
    MAIL: "mail contactmail",
    NUMBER: "insurance policy nss nir ipp licence license hospitalid chart record recordnumber kimlik",
}
_OF = (
    "patient|patients|patienten|patientin|pat|pt|subject|participant|client|person|paciente|pacientes|paziente|hasta"
    "|hastanin|pacjent|pacjenta|пациент|пациента|患者|病人|환자|المريض|guardian|mothers?|fathers?|nextofkin|insured"
)
_COUNT = "number|num|no|nr|n|nummer|numero"
_BEFORE = rf"(?P<before>{_OF})?(?:(?:{_COUNT})(?:of|der|du|des|de|da|del|di|do)?)?"
_AFTER = rf"(?:{_COUNT}|id)?(?:(?:of|ofthe|des|der|du|dela|de|del|della|do|da|van|vande)?(?P<after>{_OF}))?\d?"


def _pattern(words: dict[str, str]) -> dict[str, re.Pattern[str]]:
    listed = {kind: "|".join(map(_letters, text.split())) for kind, text in words.items()}
    return {kind: re.compile(f"{_BEFORE}(?:{one}){{1,3}}{_AFTER}") for kind, one in listed.items()}


def _letters(text: str) -> str:
    """Letters and digits alone, in one case and without accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(part for part in parts if part.isalnum())
    return unicodedata.normalize("NFC", bare.replace("ł", "l").replace("\N{LATIN SMALL LETTER DOTLESS I}", "i"))


_CLEAR_PATTERNS, _VAGUE_PATTERNS = _pattern(_CLEAR), _pattern(_VAGUE)


def meaning_of(heading: str) -> Meaning | None:
    """What a heading says of persons; None for one that says nothing of them, such as "file name".

    The whole heading has to say it: a hash of a name, the name of a finding and the number of phones do not.
    """
    letters = _letters(heading)
    for patterns, may_be_vague in ((_CLEAR_PATTERNS, False), (_VAGUE_PATTERNS, True)):
        for kind, pattern in patterns.items():
            if found := pattern.fullmatch(letters):
                return Meaning(kind, may_be_vague and not (found["before"] or found["after"]))
    return None
