//! The small grammars: a text as a duration, a size, a MAC, a URI of a design, and as the value of every kind of slot.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rackwright::units::{DiskSize, Mac, duration, short, size};
use rackwright::world::source::Place;
use rackwright_fuzz::{compiled, judge};

/// A value of most grammars each; `@` is the text, quoted.
const SLOTS: &str = "site \"s\" { ntp @; variable \"v\" @; domain @ }
network \"n\" { cidr @; gateway @; range \"static\" @ @; dhcp mode=\"server\" { lease @; range @ @ } }
hardware \"h\" { cpuset \"c\" @; alias \"a\" bus=\"scsi\" address=@; bios { A @ } }
profile \"p\" { kernel-param @ (ref)@; param \"x\" (secret)@; disk \"d\" { partition \"q\" size=@ { filesystem \"ext4\" mount=@ } } }
nodes @ x=@ profile=\"p\" { bmc \"redfish\" address=@; boot-mac @; address \"n\" @; tag (text)@; label \"r\" (var)@ }
boot-action \"b\" { on @; file @ mode=@ { content @ } }
task \"t\" script=@ { realizes @; timeout @ }
rollout \"r\" { max-unavailable @ }
";

fuzz_target!(|text: &str| {
    if let Ok(length) = duration(text) {
        assert!(duration(&short(length)).is_ok(), "{text:?}");
    }
    let _ = (size(text), text.parse::<DiskSize>(), text.parse::<Mac>(), Place::parse(text));
    let quoted = format!("{text:?}");
    // KDL has other escapes than Rust has; those that it lacks are left to the target `design`.
    if !quoted.contains("\\'") && !quoted.contains("\\0") {
        let design = SLOTS.replace('@', &quoted);
        let files = [("x.kdl", design.as_bytes())];
        judge(&compiled(&files), &compiled(&files));
    }
});
