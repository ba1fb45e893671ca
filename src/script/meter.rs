//! What an evaluation has used: steps, and memory as the allocator counts it.
//!
//! Owns the account of the evaluation that this thread is busy with. The interpreter's own counts will not do: steps
//! within a callback are lost when the built-in that called it returns, and lengths say little of memory: a list keeps the room
//! that it once had, keys of maps count for nothing, and what a closure holds is not looked at. The allocator misses nothing.
//! Rejected: walking what a script can reach, which sees neither the values of callers nor half-made arguments.

use super::limits::{DEPTH, Limit, MEMORY_BYTES, OPERATIONS, TEXT_BYTES};
use alloc_metrics::{MetricAlloc, thread_metrics};
use rhai::Dynamic;
use std::alloc::System;
use std::cell::Cell;

/// The system's allocator with a count for each thread; it costs an addition.
#[global_allocator]
static ALLOCATOR: MetricAlloc<System> = MetricAlloc::new(System);

thread_local! {
    static ACCOUNT: Cell<Option<Account>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Account {
    operations: u64,
    /// What the thread held when the evaluation began; it may give back some of that.
    floor: isize,
    /// The first limit that was passed: from then on every step ends the evaluation.
    passed: Option<Limit>,
}

/// An evaluation under way on this thread; it ends when this is dropped.
pub struct Metered(());

impl Metered {
    pub fn begin() -> Metered {
        let floor = thread_metrics().allocated_bytes;
        ACCOUNT.set(Some(Account { operations: 0, floor, passed: None }));
        Metered(())
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        ACCOUNT.set(None);
    }
}

/// Charges so many steps, and says which limit has been passed, if one has. Nothing is charged outside an evaluation.
pub fn charge(operations: u64) -> Option<Limit> {
    let mut account = ACCOUNT.get()?;
    account.operations = account.operations.saturating_add(operations);
    if account.passed.is_none() {
        let held = thread_metrics().allocated_bytes - account.floor;
        account.passed = match () {
            () if account.operations > OPERATIONS => Some(Limit::Operations),
            () if held > MEMORY_BYTES as isize => Some(Limit::Memory),
            () => None,
        };
    }
    ACCOUNT.set(Some(account));
    account.passed
}

/// Charges for the use of a value: its size, which bounds what a copy of it or a walk over it costs. One that is nested
/// too deep, or whose names take too much, ends the evaluation before anything recurses over it or writes it out.
pub fn charge_for(value: &Dynamic) -> Option<Limit> {
    let mut weight = Weight::default();
    match weight.add(value, 0) {
        Ok(()) => charge(weight.steps()),
        Err(limit) => {
            let mut account = ACCOUNT.get()?;
            account.passed.get_or_insert(limit);
            ACCOUNT.set(Some(account));
            account.passed
        }
    }
}

/// What handling a value once costs.
pub fn steps(value: &Dynamic) -> u64 {
    let mut weight = Weight::default();
    weight.add(value, 0).map_or(OPERATIONS, |()| 1 + weight.steps())
}

/// The size of a value.
#[derive(Default)]
struct Weight {
    /// In items of lists.
    items: u64,
    /// Of the names in maps; Rhai counts texts, and names not.
    name_bytes: usize,
}

/// How much of a value is handled in the time of one step: a list of twenty thousand can be made item by item.
const WEIGHT_OF_A_STEP: u64 = 128;
/// An entry of a map costs as much as so many items of a list; an item as much as so many bytes of a text, which a copy shares,
/// and of a name, which it does not.
const WEIGHT_OF_AN_ENTRY: u64 = 4;
const BYTES_OF_AN_ITEM: u64 = 16;
const BYTES_OF_A_NAME: u64 = 4;

impl Weight {
    fn steps(&self) -> u64 {
        self.items / WEIGHT_OF_A_STEP
    }

    fn add(&mut self, value: &Dynamic, depth: usize) -> Result<(), Limit> {
        if depth > DEPTH {
            return Err(Limit::Depth);
        }
        if let Ok(items) = value.as_array_ref() {
            self.items += items.len() as u64;
            for item in items.iter() {
                self.add(item, depth + 1)?;
            }
        } else if let Ok(map) = value.as_map_ref() {
            self.items += WEIGHT_OF_AN_ENTRY * map.len() as u64;
            for (name, item) in map.iter() {
                self.name_bytes += name.len();
                self.items += name.len() as u64 / BYTES_OF_A_NAME;
                self.add(item, depth + 1)?;
            }
            if self.name_bytes > TEXT_BYTES {
                return Err(Limit::Names);
            }
        } else if let Ok(text) = value.as_immutable_string_ref() {
            self.items += text.len() as u64 / BYTES_OF_AN_ITEM;
        }
        Ok(())
    }
}

/// How many items and entries a value holds, with those of what is in it.
pub fn items(value: &Dynamic) -> usize {
    if let Ok(list) = value.as_array_ref() {
        return list.iter().map(|item| 1 + items(item)).sum();
    }
    value.as_map_ref().map_or(0, |map| map.values().map(|item| 1 + items(item)).sum())
}
