//! Private keys as PEM: reading the forms that people have, writing the one that openssl and Go
//! read too.

use std::path::Path;

use pkcs8::der::pem::{LineEnding, PemLabel};
use pkcs8::der::{Decode, Encode, SecretDocument};
use pkcs8::pkcs5::pbes2;
use pkcs8::pkcs5::scrypt::Params as ScryptCost;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo};
use rcgen::{KeyPair, PublicKeyData};

use super::KeyError;
use crate::host::sensitive::Sensitive;
use crate::trust::{Certificate, KeyOnHand};

/// scrypt's cost: OWASP's advice for 16 MiB. Not the library's 128 MiB: openssl reads no key that
/// wants more than 32 MiB.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_BLOCK_SIZE: u32 = 8;
const SCRYPT_PARALLELIZATION: u32 = 5;

/// A key pair's PKCS#8 PEM, encrypted where there is a passphrase.
pub(super) fn to_pem(pair: &KeyPair, passphrase: Option<&Sensitive>) -> Result<Sensitive, KeyError> {
    const FAILED: KeyError = KeyError::Signing("write a private key as PKCS#8");
    let der = pair.serialized_der();
    let (document, label) = match passphrase {
        None => (
            SecretDocument::try_from(der).map_err(|_| FAILED)?,
            PrivateKeyInfo::PEM_LABEL,
        ),
        Some(passphrase) => {
            let (salt, vector): ([u8; 16], [u8; 16]) = (rand::random(), rand::random());
            let cost = ScryptCost::new(
                SCRYPT_LOG_N,
                SCRYPT_BLOCK_SIZE,
                SCRYPT_PARALLELIZATION,
                ScryptCost::RECOMMENDED_LEN,
            )
            .map_err(|_| FAILED)?;
            let parameters = pbes2::Parameters::scrypt_aes256cbc(cost, &salt, &vector).map_err(|_| FAILED)?;
            let document = PrivateKeyInfo::from_der(der)
                .map_err(|_| FAILED)?
                .encrypt_with_params(parameters, passphrase.expose())
                .map_err(|_| FAILED)?;
            (document, EncryptedPrivateKeyInfo::PEM_LABEL)
        }
    };
    let pem = document.to_pem(label, LineEnding::LF).map_err(|_| FAILED)?;
    Ok(Sensitive::new(pem.as_str()))
}

/// How a key lies in a text, by the PEM label alone; `None` where it is no private key.
pub(super) fn form(pem: &str) -> Option<KeyOnHand> {
    let block = first_block(pem)?;
    let encrypted = block.starts_with("-----BEGIN ENCRYPTED") || is_old_form(block);
    Some(if encrypted {
        KeyOnHand::Encrypted
    } else {
        KeyOnHand::Plain
    })
}

/// Reads the key that belongs to a certificate: PKCS#8, encrypted or not, PKCS#1 or SEC 1.
pub(super) fn read(
    pem: &Sensitive,
    path: &Path,
    certificate: &Certificate,
    passphrase: Option<&Sensitive>,
) -> Result<KeyPair, KeyError> {
    let refused = |reason| KeyError::Key {
        path: path.to_owned(),
        reason,
    };
    let text = first_block(pem.expose()).ok_or_else(|| refused("there is no private key in it"))?;
    if is_old_form(text) {
        return Err(refused("it is encrypted in openssl's old form, not as PKCS#8"));
    }
    let (label, document) =
        SecretDocument::from_pem(text).map_err(|_| refused("it is damaged, or no PEM"))?;
    let document = match label {
        "PRIVATE KEY" => document,
        "ENCRYPTED PRIVATE KEY" => {
            let encrypted = EncryptedPrivateKeyInfo::from_der(document.as_bytes()).map_err(|_| {
                refused("it is encrypted in a way that is not known here (PBES2 with scrypt or PBKDF2, AES)")
            })?;
            let passphrase = passphrase.ok_or_else(|| KeyError::PassphraseWanted {
                path: path.to_owned(),
            })?;
            encrypted
                .decrypt(passphrase.expose())
                .map_err(|error| match error {
                    pkcs8::Error::EncryptedPrivateKey(
                        pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }
                        | pkcs8::pkcs5::Error::NoPbes1CryptSupport,
                    ) => refused("it is encrypted in a way that is not known here"),
                    // A wrong passphrase shows as broken padding, or as DER that is none.
                    _ => KeyError::WrongPassphrase {
                        path: path.to_owned(),
                    },
                })?
        }
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" => wrapped(&document, certificate)
            .ok_or_else(|| refused("it is damaged, or of another kind than the certificate's"))?,
        _ => return Err(refused("it is no private key")),
    };
    let pair = KeyPair::try_from(document.as_bytes()).map_err(|_| {
        refused("it is no key that istiod and this tool can sign with: ECDSA P-256 or P-384, RSA of 2048 to 4096 bits")
    })?;
    if pair.algorithm() == &rcgen::PKCS_ED25519 {
        return Err(refused(
            "it is an Ed25519 key, which proxies do not accept in a chain",
        ));
    }
    Ok(pair)
}

/// The first private key's block: `openssl ecparam -genkey` writes the curve's parameters before it.
fn first_block(pem: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(start) = pem[from..].find("-----BEGIN ") {
        let start = from + start;
        let block = &pem[start..];
        let (header, _) = block.split_once('\n')?;
        if header.contains("PRIVATE KEY-----") {
            let footer = block.find("-----END ")?;
            let end = block[footer..]
                .find('\n')
                .map_or(block.len(), |length| footer + length + 1);
            return Some(&block[..end]);
        }
        from = start + header.len();
    }
    None
}

/// Whether a block is encrypted as openssl did it before PKCS#8: said in a header (RFC 1421).
fn is_old_form(block: &str) -> bool {
    block.contains("Proc-Type: 4,ENCRYPTED")
}

/// A PKCS#1 or SEC 1 key as PKCS#8: what those forms leave out, the certificate says.
fn wrapped(document: &SecretDocument, certificate: &Certificate) -> Option<SecretDocument> {
    let public = certificate.public_key_info();
    let public = SubjectPublicKeyInfoRef::from_der(&public).ok()?;
    let private = PrivateKeyInfo::new(public.algorithm, document.as_bytes());
    SecretDocument::try_from(private.to_der().ok()?).ok()
}

/// Whether a private key (PEM) is a certificate's; `None` where that cannot be told: the key is
/// encrypted or of a kind that is not known here.
pub fn key_matches(pem: &Sensitive, certificate: &Certificate) -> Option<bool> {
    let pair = read(pem, Path::new(""), certificate, None).ok()?;
    Some(belongs(&pair, certificate))
}

pub(super) fn belongs(pair: &KeyPair, certificate: &Certificate) -> bool {
    pair.subject_public_key_info() == certificate.public_key_info()
}
