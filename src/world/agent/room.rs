//! The room in which orders wait for agents, and answers for whoever gave the orders.
//!
//! Holds nothing that matters: after a restart of this process the orders are given again under their ids, and agents answer
//! by these. One order at a time for each boot ticket. Knows no store and no keys.

use super::message::{Order, Said, State};
use crate::units::Time;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Between two looks at whether an agent is still there.
const LOOK: Duration = Duration::from_secs(1);

/// All tables, by boot ticket.
pub struct Room {
    tables: Mutex<HashMap<String, Arc<Table>>>,
    /// An agent of which nothing is heard for so long is lost.
    silence: Duration,
}

impl Default for Room {
    fn default() -> Room {
        Room::new(Duration::from_secs(60))
    }
}

/// What passes between one agent and one script.
#[derive(Default)]
struct Table {
    now: Mutex<Now>,
    changed: Notify,
}

#[derive(Default)]
struct Now {
    order: Option<Order>,
    progress: Option<(u64, u64)>,
    ended: Option<State>,
    heard: Option<Time>,
    /// Questions for an order that stand open: whoever waits for us is there.
    asking: usize,
}

/// One order on its way to an agent and back. Dropping it takes the order back, as far as nobody has fetched it.
pub struct Errand {
    table: Arc<Table>,
    id: String,
    given: Time,
    silence: Duration,
    now: fn() -> Time,
    told: Option<(u64, u64)>,
}

/// News of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Bytes done, of all.
    UnderWay {
        done: u64,
        of: u64,
    },
    Done(serde_json::Value),
    Failed(String),
    /// The agent has not been heard of for so long.
    Silent(Duration),
    /// Nothing new for a second.
    Nothing,
}

fn lock(table: &Table) -> MutexGuard<'_, Now> {
    table.now.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    pub fn new(silence: Duration) -> Room {
        Room { tables: Mutex::default(), silence }
    }

    /// The table of a ticket; tables at which nobody sits are cleared away.
    fn table(&self, ticket: &str) -> Arc<Table> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.retain(|name, table| name == ticket || Arc::strong_count(table) > 1);
        tables.entry(ticket.to_string()).or_default().clone()
    }

    /// Gives an order to the agent of a ticket, in place of any other.
    pub fn give(&self, ticket: &str, order: Order, now: fn() -> Time) -> Errand {
        let table = self.table(ticket);
        let id = order.id.clone();
        {
            let mut state = lock(&table);
            state.order = Some(order);
            state.progress = None;
            state.ended = None;
        }
        table.changed.notify_waiters();
        Errand { table, id, given: now(), silence: self.silence, now, told: None }
    }

    /// The order that waits for the agent of a ticket; `None` when none comes within `bound`. The same order is given until
    /// its end was heard.
    pub async fn order(&self, ticket: &str, bound: Duration, now: fn() -> Time) -> Option<Order> {
        let asking = Asking::at(self.table(ticket), now);
        let until = now().plus(bound);
        loop {
            let changed = asking.table.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(order) = lock(&asking.table).order.clone() {
                return Some(order);
            }
            let left = until.since(now());
            if left.is_zero() {
                return None;
            }
            let _ = tokio::time::timeout(left, changed).await;
        }
    }

    /// Hears what an agent says of an order. Of one that nobody waits for nothing is kept: it will be given again.
    pub fn said(&self, ticket: &str, said: Said, now: fn() -> Time) {
        let table = self.table(ticket);
        {
            let mut state = lock(&table);
            state.heard = Some(now());
            if state.order.as_ref().is_none_or(|order| order.id != said.id) {
                return;
            }
            match said.state {
                State::UnderWay { done, of } => state.progress = Some((done, of)),
                ended => {
                    state.ended = Some(ended);
                    state.order = None;
                }
            }
        }
        table.changed.notify_waiters();
    }
}

impl Errand {
    /// Waits for news of the order, or a second.
    pub async fn news(&mut self) -> Heard {
        let table = self.table.clone();
        let changed = table.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        if let Some(heard) = self.look() {
            return heard;
        }
        let _ = tokio::time::timeout(LOOK.min(self.silence), changed).await;
        match self.look() {
            Some(heard) => heard,
            None => self.quiet(),
        }
    }

    fn look(&mut self) -> Option<Heard> {
        let state = lock(&self.table);
        let heard = match (&state.ended, state.progress) {
            (Some(State::Done { answer }), _) => Heard::Done(answer.clone()),
            (Some(State::Failed { why }), _) => Heard::Failed(why.clone()),
            (_, Some((done, of))) if self.told != Some((done, of)) => {
                self.told = Some((done, of));
                Heard::UnderWay { done, of }
            }
            _ => return None,
        };
        Some(heard)
    }

    fn quiet(&self) -> Heard {
        let state = lock(&self.table);
        let last = state.heard.map_or(self.given, |heard| heard.max(self.given));
        let quiet = (self.now)().since(last);
        if state.asking == 0 && quiet >= self.silence { Heard::Silent(quiet) } else { Heard::Nothing }
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        let mut state = lock(&self.table);
        if state.order.as_ref().is_some_and(|order| order.id == self.id) {
            state.order = None;
        }
    }
}

/// An agent that waits for an order. Its connection may end at any moment.
struct Asking {
    table: Arc<Table>,
    now: fn() -> Time,
}

impl Asking {
    fn at(table: Arc<Table>, now: fn() -> Time) -> Asking {
        lock(&table).asking += 1;
        Asking { table, now }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut state = lock(&self.table);
        state.asking = state.asking.saturating_sub(1);
        state.heard = Some((self.now)());
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Work;
    use super::*;
    use crate::world::clock::now;

    const BOUND: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(60);

    fn order(id: &str) -> Order {
        Order { id: id.into(), work: Work::Inventory }
    }

    fn said(id: &str, state: State) -> Said {
        Said { boot: "b".into(), id: id.into(), state }
    }

    #[tokio::test]
    async fn an_order_reaches_its_agent_and_its_end_whoever_gave_it() {
        let room = Arc::new(Room::default());
        assert_eq!(room.order("t1", BOUND, now).await, None);
        let asking = tokio::spawn({
            let room = room.clone();
            async move { room.order("t1", LONG, now).await }
        });
        tokio::task::yield_now().await;
        let mut errand = room.give("t1", order("e1"), now);
        assert_eq!(asking.await.unwrap(), Some(order("e1")));
        assert_eq!(room.order("t2", BOUND, now).await, None, "of another ticket");
        // An agent that lost the order on its way gets it again.
        assert_eq!(room.order("t1", BOUND, now).await, Some(order("e1")));
        room.said("t1", said("e0", State::Failed { why: "old".into() }), now);
        room.said("t1", said("e1", State::UnderWay { done: 1, of: 2 }), now);
        assert_eq!(errand.news().await, Heard::UnderWay { done: 1, of: 2 });
        room.said("t1", said("e1", State::Done { answer: 7.into() }), now);
        assert_eq!(errand.news().await, Heard::Done(7.into()));
        assert_eq!(room.order("t1", BOUND, now).await, None, "its end was heard");
    }

    #[tokio::test]
    async fn an_order_that_nobody_waits_for_any_more_is_given_to_nobody() {
        let room = Room::default();
        drop(room.give("t1", order("e1"), now));
        assert_eq!(room.order("t1", BOUND, now).await, None);
        room.said("t1", said("e1", State::Done { answer: 7.into() }), now);
        let mut again = room.give("t1", order("e1"), now);
        assert_eq!(room.order("t1", BOUND, now).await, Some(order("e1")));
        room.said("t1", said("e1", State::Failed { why: "no such disk".into() }), now);
        assert_eq!(again.news().await, Heard::Failed("no such disk".into()));
    }

    #[tokio::test]
    async fn an_agent_that_says_nothing_is_lost_and_one_that_asks_is_not() {
        let room = Arc::new(Room::new(Duration::from_millis(50)));
        let mut errand = room.give("t1", order("e1"), now);
        assert!(matches!(silence(&mut errand).await, Heard::Silent(_)));
        // One that still asks, for whatever reason its question has no answer, is there.
        let table = room.table("t1");
        let asking = Asking::at(table, now);
        for _ in 0..4 {
            assert_eq!(errand.news().await, Heard::Nothing);
        }
        drop(asking);
        assert!(matches!(silence(&mut errand).await, Heard::Silent(_)));
    }

    async fn silence(errand: &mut Errand) -> Heard {
        for _ in 0..100 {
            match errand.news().await {
                Heard::Nothing => {}
                other => return other,
            }
        }
        Heard::Nothing
    }
}
