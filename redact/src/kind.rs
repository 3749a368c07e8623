//! Owns the closed list of what can be found, and how each is called and shown.
//! Accepts nothing; emits labels and placeholders; promises that both are bounded and stable,
//! so that they may be metric labels and may be matched by policies.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A credential of any provider: API key, access token, client secret, webhook address.
    Secret,
    /// A password, as its key name or its place in a command says.
    Password,
    /// A private key or its seed: PEM, PuTTY, age, JWK, wallet keys.
    PrivateKey,
    /// A JSON Web Token (RFC 7519).
    Jwt,
    /// The password inside an address: `scheme://user:password@host`.
    UrlCredentials,
    /// A payment card number that passes Luhn (ISO/IEC 7812-1).
    CreditCard,
    /// An international bank account number that passes mod-97 (ISO 13616).
    Iban,
    /// A national bank account or routing number with its checksum.
    BankAccount,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A public IP address, version 4 or 6.
    Ip,
    /// An IP address of a private, link-local or shared range.
    PrivateIp,
    /// A hardware (MAC) address.
    Mac,
    /// A United States social security number.
    Ssn,
    /// Another national identity number with its checksum.
    NationalId,
    /// A tax or VAT number with its checksum.
    TaxId,
    /// A passport number, in a context that says so.
    Passport,
    /// A driver's licence number, in a context that says so.
    DriverLicence,
    /// A health insurance or provider number.
    MedicalId,
    /// An address of a crypto currency.
    CryptoAddress,
    /// A UUID (RFC 9562). Not looked for unless [`crate::Options::enabled_kinds`] has it: ids are what
    /// calls of tools live on.
    Uuid,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: &'static [Kind] = &[
        Kind::Secret,
        Kind::Password,
        Kind::PrivateKey,
        Kind::Jwt,
        Kind::UrlCredentials,
        Kind::CreditCard,
        Kind::Iban,
        Kind::BankAccount,
        Kind::Email,
        Kind::Phone,
        Kind::Ip,
        Kind::PrivateIp,
        Kind::Mac,
        Kind::Ssn,
        Kind::NationalId,
        Kind::TaxId,
        Kind::Passport,
        Kind::DriverLicence,
        Kind::MedicalId,
        Kind::CryptoAddress,
        Kind::Uuid,
    ];

    /// A stable snake_case name, for metrics, policies and settings.
    pub const fn label(self) -> &'static str {
        match self {
            Kind::Secret => "secret",
            Kind::Password => "password",
            Kind::PrivateKey => "private_key",
            Kind::Jwt => "jwt",
            Kind::UrlCredentials => "url_credentials",
            Kind::CreditCard => "credit_card",
            Kind::Iban => "iban",
            Kind::BankAccount => "bank_account",
            Kind::Email => "email",
            Kind::Phone => "phone",
            Kind::Ip => "ip",
            Kind::PrivateIp => "private_ip",
            Kind::Mac => "mac",
            Kind::Ssn => "ssn",
            Kind::NationalId => "national_id",
            Kind::TaxId => "tax_id",
            Kind::Passport => "passport",
            Kind::DriverLicence => "driver_licence",
            Kind::MedicalId => "medical_id",
            Kind::CryptoAddress => "crypto_address",
            Kind::Uuid => "uuid",
        }
    }

    /// The kind with that label.
    pub fn from_label(label: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.label() == label)
    }

    /// What stands in a redacted copy where the value stood.
    pub const fn placeholder(self) -> &'static str {
        match self {
            Kind::Secret | Kind::Password | Kind::PrivateKey | Kind::Jwt | Kind::UrlCredentials => {
                "[REDACTED-SECRET]"
            }
            Kind::CreditCard => "[REDACTED-CREDIT-CARD]",
            Kind::Iban => "[REDACTED-IBAN]",
            Kind::BankAccount => "[REDACTED-BANK-ACCOUNT]",
            Kind::Email => "[REDACTED-EMAIL]",
            Kind::Phone => "[REDACTED-PHONE]",
            Kind::Ip | Kind::PrivateIp => "[REDACTED-IP]",
            Kind::Mac => "[REDACTED-MAC]",
            Kind::Ssn => "[REDACTED-SSN]",
            Kind::NationalId => "[REDACTED-NATIONAL-ID]",
            Kind::TaxId => "[REDACTED-TAX-ID]",
            Kind::Passport => "[REDACTED-PASSPORT]",
            Kind::DriverLicence => "[REDACTED-DRIVER-LICENCE]",
            Kind::MedicalId => "[REDACTED-MEDICAL-ID]",
            Kind::CryptoAddress => "[REDACTED-CRYPTO-ADDRESS]",
            Kind::Uuid => "[REDACTED-UUID]",
        }
    }

    /// Whether the kind is looked for only where [`crate::Options::enabled_kinds`] has it.
    pub const fn is_opt_in(self) -> bool {
        matches!(self, Kind::Uuid)
    }

    /// Whether the value gives access to something (as opposed to being about a person).
    pub const fn is_secret(self) -> bool {
        matches!(
            self,
            Kind::Secret | Kind::Password | Kind::PrivateKey | Kind::Jwt | Kind::UrlCredentials
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_distinct_and_found_again() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_label(kind.label()), Some(kind));
        }
    }

    #[test]
    fn placeholders_have_the_established_form() {
        for &kind in Kind::ALL {
            let inner = kind
                .placeholder()
                .strip_prefix("[REDACTED-")
                .and_then(|rest| rest.strip_suffix(']'))
                .expect("the established form");
            assert!(inner.bytes().all(|b| b.is_ascii_uppercase() || b == b'-'), "{kind}");
        }
    }
}
