//! Whether what speaks with the key of a boot ticket is the ticket's machine.
//!
//! A key goes to whoever asks with the node's MAC, and a disk goes into another machine with all that is on it. So what says who
//! it is, is compared with what its BMC said of the machine. Serial numbers are not: boards have none, or all the same.

use super::live::Live;
use crate::model::observed::Identity;
use crate::store::{StoreError, Ticket};
use crate::units::Mac;
use crate::world::boot::{self, Refusal};

/// A report of an installer or of an installed system: nothing may speak against it.
pub async fn reports(live: &Live, ticket: &Ticket, said: boot::Identity) -> Result<(), Refusal> {
    let said = identity(said);
    let recorded = recorded(live, ticket).await?;
    judged(
        ticket,
        boot_mac_lacks(ticket, &said).or_else(|| recorded.and_then(|known| differs(&said, &known))),
    )
}

/// An agent's hello: it is to be the machine on record.
pub async fn says_hello(live: &Live, ticket: &Ticket, said: boot::Identity) -> Result<(), Refusal> {
    let said = identity(said);
    let recorded = recorded(live, ticket).await?.unwrap_or_default();
    judged(ticket, stranger(ticket, &said, &recorded))
}

/// Whether an agent is the one that said hello before with the ticket, started anew.
pub fn is_another(said: &boot::Identity, before: &boot::Identity) -> bool {
    let uuid = |identity: &boot::Identity| identity.uuid.as_deref().and_then(bytes);
    let shares = said.macs.iter().any(|mac| before.macs.contains(mac));
    let all = |identity: &boot::Identity| -> std::collections::BTreeSet<Mac> {
        identity.macs.iter().copied().collect()
    };
    match (uuid(said), uuid(before)) {
        (Some(said), Some(before)) => said != before || !shares,
        (None, None) => all(said) != all(before),
        _ => true,
    }
}

async fn recorded(live: &Live, ticket: &Ticket) -> Result<Option<Identity>, Refusal> {
    let found = live.store.identity(&ticket.node).await;
    found.map_err(|error: StoreError| Refusal::Broken(error.to_string()))
}

fn identity(said: boot::Identity) -> Identity {
    Identity { uuid: said.uuid, serial: said.serial, macs: said.macs }
}

fn judged(ticket: &Ticket, wrong: Option<String>) -> Result<(), Refusal> {
    match wrong {
        Some(why) => {
            tracing::warn!(node = %ticket.node, "what another machine said was refused: {why}");
            Err(Refusal::Withdrawn)
        }
        None => Ok(()),
    }
}

fn boot_mac_lacks(ticket: &Ticket, said: &Identity) -> Option<String> {
    said.lacks_mac(ticket.spec.str_at("boot-mac").and_then(|text| text.parse().ok()))
}

/// Why an agent cannot be known to be the machine on record.
fn stranger(ticket: &Ticket, said: &Identity, recorded: &Identity) -> Option<String> {
    if said.macs.is_empty() {
        return Some("it names no MAC, and could be any machine".into());
    }
    if let Some(why) = boot_mac_lacks(ticket, said).or_else(|| differs(said, recorded)) {
        return Some(why);
    }
    let uuids = said.uuid.as_deref().and_then(bytes).zip(recorded.uuid.as_deref().and_then(bytes));
    let shares = said.macs.iter().any(|mac| recorded.macs.contains(mac));
    // A UUID that does not differ is the same. The MAC of the design is enough where nothing is on record.
    let design = ticket.spec.str_at("boot-mac").is_some_and(|text| text.parse::<Mac>().is_ok());
    (uuids.is_none() && !shares && !(design && recorded.macs.is_empty()))
        .then(|| "neither its UUID nor a MAC of it is on record".to_string())
}

/// What speaks against `said` being the machine `recorded`.
fn differs(said: &Identity, recorded: &Identity) -> Option<String> {
    let uuid = |identity: &Identity| identity.uuid.as_deref().and_then(bytes);
    match (uuid(said), uuid(recorded)) {
        (Some(now), Some(then)) => (now != then && swapped(now) != then).then(|| {
            let text = |identity: &Identity| identity.uuid.clone().unwrap_or_default();
            format!("its UUID is {}, on record is {}", text(said), text(recorded))
        }),
        _ => {
            let shares = said.macs.iter().any(|mac| recorded.macs.contains(mac));
            let both = !said.macs.is_empty() && !recorded.macs.is_empty();
            (both && !shares).then(|| "none of its MACs is on record".to_string())
        }
    }
}

/// The bytes of a UUID; `None` of one that says nothing (DSP0134, 7.2.1: all zeros, all ones).
fn bytes(uuid: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = uuid.bytes().filter(|byte| *byte != b'-').collect();
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = String::from_utf8(digits).ok()?;
    let bytes = u128::from_str_radix(&digits, 16).ok()?.to_be_bytes();
    (bytes != [0; 16] && bytes != [0xff; 16]).then_some(bytes)
}

/// The first three fields the other way round: firmware and BMC do not always agree on their order (SMBIOS 3, DSP0134, 7.2.1).
fn swapped(mut uuid: [u8; 16]) -> [u8; 16] {
    uuid[..4].reverse();
    uuid[4..6].reverse();
    uuid[6..8].reverse();
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::Value;
    use crate::store::{Purpose, TicketState};
    use crate::units::Time;

    const UUID: &str = "00112233-4455-6677-8899-AABBCCDDEEFF";
    const SWAPPED: &str = "33221100-5544-7766-8899-aabbccddeeff";
    const OTHER: &str = "4c4c4544-0042-4c10-8051-b9c04f4d3132";

    fn who(uuid: Option<&str>, macs: &[u8]) -> Identity {
        let macs = macs.iter().map(|last| Mac([0x52, 0x54, 0, 0, 0, *last])).collect();
        Identity { uuid: uuid.map(str::to_string), serial: Some("S1".into()), macs }
    }

    fn ticket(boot_mac: &str) -> Ticket {
        Ticket {
            id: "t1".into(),
            node: "n01".into(),
            run: "r1".into(),
            attempt: 1,
            purpose: Purpose::Agent,
            state: TicketState::Open,
            spec: Value::map([("boot-mac", Value::from(boot_mac.to_string()))]),
            install_key: String::new(),
            home_key: String::new(),
            created_at: Time(0),
            fetched: false,
            report: None,
        }
    }

    #[test]
    fn an_agent_is_the_machine_on_record_by_its_uuid_in_either_order_or_else_by_a_mac() {
        let nothing = Identity::default();
        for (said, recorded, boot_mac, is_known) in [
            (who(Some(UUID), &[1]), who(Some(UUID), &[]), "auto", true),
            (who(Some(SWAPPED), &[1]), who(Some(UUID), &[]), "auto", true),
            (who(Some(OTHER), &[1]), who(Some(UUID), &[1]), "auto", false),
            (who(Some(OTHER), &[1]), who(Some(UUID), &[1]), "52:54:00:00:00:01", false),
            // The serial number is the same everywhere here, and is not enough.
            (who(Some(UUID), &[1]), who(None, &[2]), "auto", false),
            (who(None, &[1, 2]), who(Some(UUID), &[2]), "auto", true),
            (who(None, &[1]), who(Some(UUID), &[2]), "auto", false),
            (who(None, &[1]), who(Some(UUID), &[]), "auto", false),
            (who(Some("ffffffff-ffff-ffff-ffff-ffffffffffff"), &[1]), who(Some(UUID), &[1]), "auto", true),
            // The design's MAC is enough where no other is known.
            (who(None, &[1]), nothing.clone(), "52:54:00:00:00:01", true),
            (who(None, &[1]), nothing.clone(), "auto", false),
            (who(Some(UUID), &[2]), who(Some(UUID), &[]), "52:54:00:00:00:01", false),
            (who(Some(UUID), &[]), who(Some(UUID), &[]), "auto", false),
        ] {
            let why = stranger(&ticket(boot_mac), &said, &recorded);
            assert_eq!(why.is_none(), is_known, "{said:?} {recorded:?} {boot_mac}: {why:?}");
        }
    }

    #[test]
    fn a_report_is_refused_when_something_speaks_against_it() {
        assert!(differs(&who(None, &[]), &who(Some(UUID), &[1])).is_none());
        assert!(differs(&who(Some(SWAPPED), &[]), &who(Some(UUID), &[1])).is_none());
        assert!(differs(&who(Some(OTHER), &[1]), &who(Some(UUID), &[1])).is_some());
        assert!(differs(&who(None, &[2]), &who(Some(UUID), &[1])).is_some());
    }

    #[test]
    fn an_agent_that_was_started_anew_is_the_same_machine_and_a_second_one_is_not() {
        let boot = |identity: Identity| boot::Identity {
            uuid: identity.uuid,
            serial: identity.serial,
            macs: identity.macs,
        };
        for (said, before, another) in [
            (who(Some(UUID), &[1, 2]), who(Some(UUID), &[2]), false),
            (who(Some(UUID), &[1]), who(Some(UUID), &[2]), true),
            (who(Some(OTHER), &[1]), who(Some(UUID), &[1]), true),
            (who(None, &[2, 1]), who(None, &[1, 2]), false),
            (who(None, &[1]), who(None, &[1, 2]), true),
            (who(None, &[1]), who(Some(UUID), &[1]), true),
        ] {
            assert_eq!(
                is_another(&boot(said.clone()), &boot(before.clone())),
                another,
                "{said:?} {before:?}"
            );
        }
    }
}
