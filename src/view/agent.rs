//! What an agent says of its work, on the console of the machine that it runs on.

pub fn known(boot: &str) -> String {
    format!("The controller knows this agent as {boot}. It waits for orders.")
}

pub fn begun(work: &str, id: &str) -> String {
    format!("Order {id}: {work} begins.")
}

pub fn done(work: &str, id: &str) -> String {
    format!("Order {id}: {work} is done.")
}

pub fn failed(work: &str, id: &str, why: &str) -> String {
    format!("Order {id}: {work} failed: {why}.")
}

pub fn waiting(why: &str) -> String {
    format!("The controller does not answer ({why}); it is asked again.")
}

pub fn left() -> String {
    "The boot ticket has ended; there are no more orders.".into()
}

/// After an interruption: what was ordered is not given up with the process.
pub fn goes_on(node: &str, run: &str) -> String {
    format!(
        "The agent of {node} goes on with what it was ordered; `rackwright cancel {run}` switches the machine off, the next \
         apply waits for its answer."
    )
}

/// After `cancel`, when the BMC did not do it.
pub fn cannot_be_ended(node: &str, why: &str) -> String {
    format!(
        "The agent of {node} may go on: its machine could not be switched off ({why}). Switch it off by hand."
    )
}
