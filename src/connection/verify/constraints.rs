//! What the servers below an authority may be called (RFC 5280, section 4.2.1.10), as Go has it
//! (`x509/constraints.go`). Hosts and addresses are compared; a certificate with a mail address or a
//! URI is refused where an authority restricts those, since no API server needs one.

use std::net::IpAddr;

use x509_parser::asn1_rs::{Any, Class, FromDer, Tag};

use super::certificate::{Certificate, Names, address};

/// The names that an authority permits and excludes.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    permitted: Subtrees,
    excluded: Subtrees,
    /// Whether mail addresses or URIs are restricted.
    restricts_others: bool,
    /// Whether kinds of names are restricted that Go does not know.
    pub(super) has_unknown: bool,
}

#[derive(Debug, Default)]
struct Subtrees {
    hosts: Vec<String>,
    networks: Vec<(IpAddr, IpAddr)>,
}

impl Constraints {
    /// Reads the extension's value; nothing where it is broken.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let (rest, whole) = Any::from_der(value).ok()?;
        if whole.tag() != Tag::Sequence || !rest.is_empty() || whole.data.is_empty() {
            return None;
        }
        let mut constraints = Self::default();
        let mut parts = whole.data;
        let mut next = 0;
        while !parts.is_empty() {
            let (rest, part) = Any::from_der(parts).ok()?;
            let tag = part.tag().0;
            if part.class() != Class::ContextSpecific || tag > 1 || tag < next {
                return None;
            }
            next = tag + 1;
            constraints.take(part.data, tag == 0)?;
            parts = rest;
        }
        Some(constraints)
    }

    fn take(&mut self, mut subtrees: &[u8], are_permitted: bool) -> Option<()> {
        while !subtrees.is_empty() {
            let (rest, subtree) = Any::from_der(subtrees).ok()?;
            let (_, base) = Any::from_der(subtree.data).ok()?;
            if subtree.tag() != Tag::Sequence {
                return None;
            }
            let side = if are_permitted {
                &mut self.permitted
            } else {
                &mut self.excluded
            };
            match (base.class(), base.tag().0) {
                (Class::ContextSpecific, 2) => {
                    let host = std::str::from_utf8(base.data)
                        .ok()
                        .filter(|host| host.is_ascii())?;
                    let bare = host.strip_prefix('.').unwrap_or(host);
                    if !host.is_empty() && !is_domain(bare) {
                        return None;
                    }
                    side.hosts.push(host.to_ascii_lowercase());
                }
                (Class::ContextSpecific, 7) => {
                    let half = base.data.len() / 2;
                    let (network, mask) = base.data.split_at(half);
                    let bits: Vec<bool> = mask
                        .iter()
                        .flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0))
                        .collect();
                    if bits.is_sorted_by(|one, other| one >= other) {
                        side.networks.push((address(network)?, address(mask)?));
                    } else {
                        return None;
                    }
                }
                (Class::ContextSpecific, 1 | 6) => self.restricts_others = true,
                _ => self.has_unknown = true,
            }
            subtrees = rest;
        }
        Some(())
    }

    /// Whether names may stand below this authority.
    fn allow(&self, names: &Names) -> bool {
        let hosts = names.hosts.iter().all(|host| {
            let host = host.to_ascii_lowercase();
            (host.is_empty() || is_domain(&host))
                && (self.permitted.hosts.is_empty() || self.permitted.hold_host(&host, false))
                && !self.excluded.hold_host(&host, true)
        });
        let addresses = names.addresses.iter().all(|address| {
            (self.permitted.networks.is_empty() || self.permitted.hold_address(*address))
                && !self.excluded.hold_address(*address)
        });
        hosts && addresses && !(self.restricts_others && names.has_others)
    }
}

impl Subtrees {
    fn hold_host(&self, host: &str, are_excluded: bool) -> bool {
        self.hosts.iter().any(|subtree| {
            let is_below = match host.strip_suffix(subtree.as_str()) {
                None => false,
                Some(rest) => {
                    rest.is_empty() || subtree.is_empty() || subtree.starts_with('.') || rest.ends_with('.')
                }
            };
            // A star stands for the excluded name beside others.
            let covers = || {
                host.starts_with('*')
                    && after_first_label(host)
                        .is_some_and(|parent| after_first_label(subtree) == Some(parent))
            };
            is_below || are_excluded && covers()
        })
    }

    fn hold_address(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|(network, mask)| match (address, network, mask) {
                (IpAddr::V4(address), IpAddr::V4(network), IpAddr::V4(mask)) => {
                    address.to_bits() & mask.to_bits() == network.to_bits() & mask.to_bits()
                }
                (IpAddr::V6(address), IpAddr::V6(network), IpAddr::V6(mask)) => {
                    address.to_bits() & mask.to_bits() == network.to_bits() & mask.to_bits()
                }
                _ => false,
            })
    }
}

/// What follows the first label, with its dot.
fn after_first_label(host: &str) -> Option<&str> {
    host.find('.').map(|dot| &host[dot..])
}

/// Go's `domainNameValid`, for what is not empty.
fn is_domain(host: &str) -> bool {
    host.bytes().all(|byte| (33..=126).contains(&byte)) && host.split('.').all(|label| !label.is_empty())
}

/// Whether every certificate of a chain, the server's first, is called as those above it want.
pub(super) fn are_kept(chain: &[&Certificate]) -> bool {
    chain.iter().enumerate().all(|(index, certificate)| {
        let above = chain
            .iter()
            .skip(index + 1)
            .filter_map(|other| other.constraints.as_ref());
        !certificate.names.are_given
            || above
                .into_iter()
                .all(|constraints| constraints.allow(&certificate.names))
    })
}
