//! Ending an agent's work that nobody waits for any more: its machine is switched off.
//!
//! An agent outlasts the controller, so that a wipe survives a restart of it. So an order that is given up has to be ended at
//! the machine, and the BMC is the one way to it that does not need the agent.

use super::{Live, bmc};
use crate::effect::{Target, failure};
use crate::id::EffectId;
use crate::script::tape::EffectFailure;
use crate::store::{StoreError, Ticket, TicketState};
use crate::units;
use crate::world::bmc::{Power, ResetKind};
use crate::world::clock::uptime;
use std::time::Duration;

/// A machine is off within some seconds; a BMC that is slow takes a minute.
const WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Live {
    /// Tickets whose agents were given an order that nobody waits for any more, and of which no end was heard. The end of an
    /// attempt withdraws its ticket; a machine that has another one by now has been switched off for it.
    pub async fn agents_left(&self) -> Result<Vec<Ticket>, StoreError> {
        let mut left = Vec::new();
        for id in self.agents.left() {
            let Some(ticket) = self.store.ticket(&id).await? else { continue };
            let newest = self.store.newest_ticket(&ticket.node).await?;
            let is_last = newest.is_some_and(|newest| newest.id == id);
            if is_last && matches!(ticket.state, TicketState::Open | TicketState::Withdrawn) {
                left.push(ticket);
            }
        }
        Ok(left)
    }

    /// Switches off the machine of an agent's ticket.
    pub async fn end_agent(&self, ticket: &Ticket) -> Result<(), EffectFailure> {
        let target = Target { node: ticket.node.clone(), spec: ticket.spec.clone() };
        let ended = tokio::time::timeout(WITHIN, self.off(&target, &ticket.id)).await;
        let late = |_| failure(format!("it was not off within {}", units::short(WITHIN)), true);
        ended.map_err(late)??;
        self.agents.forget(&ticket.id);
        Ok(())
    }

    async fn off(&self, target: &Target, ticket: &str) -> Result<(), EffectFailure> {
        // Its own name for what the BMC logs: the effects' ids are given.
        let id = EffectId(format!("{ticket}-end"));
        let (began, mut asked) = (uptime(), false);
        loop {
            let why = match self.hardware.controller(target).await {
                Err(why) => why,
                Ok(controller) => match controller.redfish.power().await {
                    Ok(Power::Off) => return Ok(()),
                    Ok(_) if asked => failure("it stays on", true),
                    Ok(_) => match controller.redfish.reset(ResetKind::ForceOff, Some(&id)).await {
                        Ok(()) => {
                            asked = true;
                            failure("it is on", true)
                        }
                        Err(error) => bmc::failed(&error),
                    },
                    Err(error) => bmc::failed(&error),
                },
            };
            if !why.transient || uptime().saturating_sub(began) >= WITHIN - LOOK_EVERY * 2 {
                return Err(why);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether the BMC says that the machine is off; one that does not answer says nothing.
    pub(super) async fn is_off(&self, target: &Target) -> bool {
        match self.hardware.controller(target).await {
            Ok(controller) => matches!(controller.redfish.power().await, Ok(Power::Off)),
            Err(_) => false,
        }
    }
}
