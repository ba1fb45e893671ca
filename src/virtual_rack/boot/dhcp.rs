//! The DHCP client of firmware and of iPXE (RFC 2131; boot options of RFC 4578).
//!
//! Owns discover, offer, request, acknowledge, and the back-off between tries. Knows nothing of relays.

use super::super::machine::activity::Activity;
use super::relay::Conversation;
use crate::units::Mac;
use dhcproto::v4::{Architecture, DhcpOption, HType, Message, MessageType, OptionCode, UnknownOption};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Tries before the device counts as failed; a real PXE ROM gives up likewise.
const TRIES: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The first patience with a server that is connected: a thousand machines ask at once.
const FIRST_PATIENCE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    BiosPxe,
    UefiPxe,
    UefiHttp,
    /// The network bootstrap program, on a machine with UEFI or without.
    Ipxe {
        uefi: bool,
    },
}

/// What the server granted, as far as booting goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub address: Ipv4Addr,
    pub next_server: Ipv4Addr,
    /// Option 67, else the `file` field; empty when neither is there.
    pub boot_file: String,
}

/// Asks until an address and a boot file are granted, within a bounded number of tries.
pub async fn acquire(activity: &Activity, asker: Asker) -> Result<Grant, String> {
    let machine = activity.machine();
    let identity = machine.identity();
    let mac = *identity.macs.first().ok_or("the machine has no NIC")?;
    let xid = machine.next_transaction();
    let mut conversation = machine.around.relay.open(xid, mac);
    let question = Question { xid, mac, uuid: uuid_bytes(&identity.uuid), asker };
    for count in 0..TRIES {
        let connected = machine.around.fabric().dhcp.is_some() && machine.is_heard_when_booting();
        let first = if connected { FIRST_PATIENCE } else { FIRST_PAUSE };
        let patience = first.mul_f64(1.5f64.powi(count.min(16) as i32)).min(LONGEST_PAUSE);
        if !send(activity, &conversation, &question.discover()).await {
            tokio::time::sleep(patience).await;
            continue;
        }
        let Some(offer) = await_type(&mut conversation, MessageType::Offer, patience).await else { continue };
        let request = question.request(&offer);
        send(activity, &conversation, &request).await;
        if let Some(ack) = await_type(&mut conversation, MessageType::Ack, patience.max(LONGEST_PAUSE)).await
        {
            return Ok(grant(&ack));
        }
    }
    Err("no DHCP answer".into())
}

async fn send(activity: &Activity, conversation: &Conversation, message: &Message) -> bool {
    let around = &activity.machine().around;
    if !activity.machine().is_heard_when_booting() {
        return false;
    }
    conversation.send(message, around.fabric(), around.link).await
}

/// The next answer of the wanted type; a refusal ends the wait as silence does. At most a handful of other
/// answers (late copies of an offer) are passed over.
async fn await_type(
    conversation: &mut Conversation,
    wanted: MessageType,
    patience: Duration,
) -> Option<Message> {
    for _ in 0..8 {
        let answer = conversation.answer(patience).await?;
        match answer.opts().msg_type() {
            Some(kind) if kind == wanted => return Some(answer),
            Some(MessageType::Nak) => return None,
            _ => {}
        }
    }
    None
}

struct Question {
    xid: u32,
    mac: Mac,
    uuid: Vec<u8>,
    asker: Asker,
}

impl Question {
    fn discover(&self) -> Message {
        self.message(MessageType::Discover)
    }

    fn request(&self, offer: &Message) -> Message {
        let mut message = self.message(MessageType::Request);
        message.opts_mut().insert(DhcpOption::RequestedIpAddress(offer.yiaddr()));
        if let Some(server) = offer.opts().get(OptionCode::ServerIdentifier) {
            message.opts_mut().insert(server.clone());
        }
        message
    }

    fn message(&self, kind: MessageType) -> Message {
        let none = Ipv4Addr::UNSPECIFIED;
        let mut message = Message::new_with_id(self.xid, none, none, none, none, &self.mac.0);
        message.set_htype(HType::Eth);
        let options = message.opts_mut();
        options.insert(DhcpOption::MessageType(kind));
        options.insert(DhcpOption::MaxMessageSize(1472));
        options.insert(DhcpOption::ParameterRequestList(WANTED.to_vec()));
        options.insert(DhcpOption::ClassIdentifier(self.asker.class().as_bytes().to_vec()));
        options.insert(DhcpOption::ClientSystemArchitecture(Architecture(self.asker.architecture())));
        options.insert(DhcpOption::ClientNetworkInterface(1, 3, 16));
        // RFC 4578 section 2.3: type 0, then the UUID.
        options.insert(DhcpOption::ClientMachineIdentifier([&[0][..], &self.uuid].concat()));
        if let Asker::Ipxe { .. } = self.asker {
            // iPXE writes its user class bare, without the length octets of RFC 3004.
            options.insert(DhcpOption::UserClass(b"iPXE".to_vec()));
            let features = UnknownOption::new(OptionCode::Unknown(175), IPXE_FEATURES.to_vec());
            options.insert(DhcpOption::Unknown(features));
        }
        message
    }
}

const WANTED: &[OptionCode] = &[
    OptionCode::SubnetMask,
    OptionCode::Router,
    OptionCode::DomainNameServer,
    OptionCode::DomainName,
    OptionCode::AddressLeaseTime,
    OptionCode::ServerIdentifier,
    OptionCode::TFTPServerName,
    OptionCode::BootfileName,
];

/// Encapsulated options of iPXE, a code, a length and a value each: HTTP, TFTP, DNS.
const IPXE_FEATURES: &[u8] = &[0x13, 1, 1, 0x15, 1, 1, 0x17, 1, 1];

impl Asker {
    /// RFC 4578 section 2.1, with the registry's later value for HTTP boot.
    fn architecture(self) -> u16 {
        match self {
            Asker::BiosPxe | Asker::Ipxe { uefi: false } => 0,
            Asker::UefiPxe | Asker::Ipxe { uefi: true } => 7,
            Asker::UefiHttp => 16,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Asker::BiosPxe | Asker::Ipxe { uefi: false } => "PXEClient:Arch:00000:UNDI:003016",
            Asker::UefiPxe | Asker::Ipxe { uefi: true } => "PXEClient:Arch:00007:UNDI:003016",
            Asker::UefiHttp => "HTTPClient:Arch:00016:UNDI:003016",
        }
    }
}

fn grant(ack: &Message) -> Grant {
    let option = match ack.opts().get(OptionCode::BootfileName) {
        Some(DhcpOption::BootfileName(name)) => Some(name.as_slice()),
        _ => None,
    };
    let name = option.or(ack.fname()).unwrap_or_default();
    let text = String::from_utf8_lossy(name);
    let boot_file = text.trim_end_matches('\0').to_string();
    Grant { address: ack.yiaddr(), next_server: ack.siaddr(), boot_file }
}

/// The sixteen octets of a UUID; a text that is none gives zeros.
fn uuid_bytes(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    let byte = |index: usize| {
        digits.get(index * 2..index * 2 + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    (0..16).map(|index| byte(index).unwrap_or(0)).collect()
}
