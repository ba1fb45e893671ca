//! The agent: what it and whoever orders it say to each other, the room in which orders wait, and the agent itself as it
//! runs on a real machine.
//!
//! The protocol is written down in `PROTOCOL.md` beside this file. Owns messages, their limits, and the machine's side:
//! reading a machine, wiping a disk. Which machine is served, and what an answer means, is decided above.

mod command_line;
mod inventory;
mod machine;
mod message;
mod room;
mod worker;

pub use command_line::{CommandLineError, url_of};
pub use inventory::{Cpus, Disk, Inventory, Nic, Stressed, Wiped};
pub use machine::{Machine, MachineError};
pub(in crate::world) use message::{HELLO_LIMIT_BYTES, SAID_LIMIT_BYTES, parse};
pub use message::{Hello, Meant, Method, Next, Order, Said, State, Work};
pub use room::{Errand, Heard, Room};
pub use worker::{Event, Left, Worker, WorkerError};
