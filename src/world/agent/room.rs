//! The room in which orders wait for agents, and answers for whoever gave the orders.
//!
//! Holds nothing that matters: after a restart of this process the orders are given again under their ids, and agents answer
//! by these. One order at a time for each boot ticket. Knows no store and no keys.

use super::message::{Order, Said, State};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Between two looks at whether an agent is still there.
const LOOK: Duration = Duration::from_secs(1);
/// So many looks in a row make an agent silent.
const SILENT_LOOKS: u32 = 3;

/// All tables, by boot ticket.
pub struct Room {
    tables: Mutex<HashMap<String, Arc<Table>>>,
    /// An agent of which nothing is heard for so long is silent.
    silence: Duration,
    /// Tickets whose last order was given up before its end was heard.
    left: Arc<Mutex<BTreeSet<String>>>,
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
    heard: Option<Duration>,
    /// Questions for an order that stand open: whoever waits for us is there.
    asking: usize,
}

/// One order on its way to an agent and back. Dropping it takes the order back, as far as nobody has fetched it; that it may
/// have been is remembered.
pub struct Errand {
    table: Arc<Table>,
    ticket: String,
    left: Arc<Mutex<BTreeSet<String>>>,
    /// Looks in a row at which the agent was silent.
    silent: u32,
    id: String,
    given: Duration,
    silence: Duration,
    now: fn() -> Duration,
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
        Room { tables: Mutex::default(), silence, left: Arc::default() }
    }

    /// The table of a ticket; tables at which nobody sits are cleared away.
    fn table(&self, ticket: &str) -> Arc<Table> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.retain(|name, table| name == ticket || Arc::strong_count(table) > 1);
        tables.entry(ticket.to_string()).or_default().clone()
    }

    /// Gives an order to the agent of a ticket, in place of any other.
    pub fn give(&self, ticket: &str, order: Order, now: fn() -> Duration) -> Errand {
        let table = self.table(ticket);
        let id = order.id.clone();
        {
            let mut state = lock(&table);
            state.order = Some(order);
            state.progress = None;
            state.ended = None;
        }
        table.changed.notify_waiters();
        self.forget(ticket);
        let (ticket, left, silence) = (ticket.to_string(), self.left.clone(), self.silence);
        Errand { table, ticket, left, silent: 0, id, given: now(), silence, now, told: None }
    }

    /// Tickets whose agents may still carry out an order for which nobody waits any more.
    pub fn left(&self) -> Vec<String> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// What the agent of a ticket was ordered is waited for again, or ended.
    pub fn forget(&self, ticket: &str) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket);
    }

    /// The order that waits for the agent of a ticket; `None` when none comes within `bound`. The same order is given until
    /// its end was heard.
    pub async fn order(&self, ticket: &str, bound: Duration, now: fn() -> Duration) -> Option<Order> {
        let asking = Asking::at(self.table(ticket), now);
        let until = now().saturating_add(bound);
        loop {
            let changed = asking.table.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(order) = lock(&asking.table).order.clone() {
                return Some(order);
            }
            let left = until.saturating_sub(now());
            if left.is_zero() {
                return None;
            }
            let _ = tokio::time::timeout(left, changed).await;
        }
    }

    /// Hears what an agent says of an order. Of one that nobody waits for nothing is kept: it will be given again.
    pub fn said(&self, ticket: &str, said: Said, now: fn() -> Duration) {
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

    /// Time alone makes nobody silent: a process that was stopped for a while hears what waited for it first.
    fn quiet(&mut self) -> Heard {
        let (heard, asking) = {
            let state = lock(&self.table);
            (state.heard, state.asking)
        };
        let last = heard.map_or(self.given, |heard| heard.max(self.given));
        let quiet = (self.now)().saturating_sub(last);
        if asking > 0 || quiet < self.silence {
            self.silent = 0;
            return Heard::Nothing;
        }
        self.silent = self.silent.saturating_add(1);
        if self.silent < SILENT_LOOKS { Heard::Nothing } else { Heard::Silent(quiet) }
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        let mut state = lock(&self.table);
        if state.order.as_ref().is_some_and(|order| order.id == self.id) {
            state.order = None;
            self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(self.ticket.clone());
        }
    }
}

/// An agent that waits for an order. Its connection may end at any moment.
struct Asking {
    table: Arc<Table>,
    now: fn() -> Duration,
}

impl Asking {
    fn at(table: Arc<Table>, now: fn() -> Duration) -> Asking {
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
    use crate::world::clock::uptime as now;

    const BOUND: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(60);

    fn order(id: &str) -> Order {
        Order { id: id.into(), version: "1".into(), work: Work::Inventory }
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

    /// A clock that goes an hour further whenever somebody looks.
    fn jumping() -> Duration {
        static HOURS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        Duration::from_secs(3600 * HOURS.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }

    #[tokio::test]
    async fn one_look_after_a_long_while_makes_nobody_silent() {
        let room = Room::new(Duration::from_millis(5));
        let mut errand = room.give("t1", order("e1"), jumping);
        for _ in 1..SILENT_LOOKS {
            assert_eq!(errand.news().await, Heard::Nothing);
        }
        assert!(matches!(errand.news().await, Heard::Silent(_)));
    }

    #[tokio::test]
    async fn an_order_that_is_given_up_before_its_end_is_remembered() {
        let room = Room::default();
        let errand = room.give("t1", order("e1"), now);
        assert!(room.left().is_empty());
        drop(errand);
        assert_eq!(room.left(), ["t1"]);
        let again = room.give("t1", order("e1"), now);
        assert!(room.left().is_empty(), "somebody waits for it again");
        room.said("t1", said("e1", State::Done { answer: 7.into() }), now);
        drop(again);
        assert!(room.left().is_empty(), "its end was heard");
        drop(room.give("t2", order("e2"), now));
        room.forget("t2");
        assert!(room.left().is_empty());
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
