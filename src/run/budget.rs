//! The budget: how many deployed nodes may be disturbed at once.
//!
//! A node takes a place before its first disturbing step and gives it back when it has ended well.
//! A node that failed keeps its place: it is down. When every place is lost, nobody else starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub struct Budget {
    places: Arc<Semaphore>,
    size: usize,
    lost: AtomicUsize,
}

pub struct Place {
    permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// `down` nodes hold a place each before anything begins.
    pub fn new(size: usize, down: usize) -> Budget {
        let places = Semaphore::new(size.saturating_sub(down));
        if down >= size {
            places.close();
        }
        Budget { places: Arc::new(places), size, lost: AtomicUsize::new(down) }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// Takes a place at once, when one is free.
    pub fn try_take(&self) -> Option<Place> {
        let permit = self.places.clone().try_acquire_owned().ok()?;
        Some(Place { permit: Some(permit) })
    }

    /// Waits for a place; `None` when failed nodes hold them all.
    pub async fn take(&self) -> Option<Place> {
        let permit = self.places.clone().acquire_owned().await.ok()?;
        Some(Place { permit: Some(permit) })
    }

    /// The node that holds `place` is down and stays so.
    pub fn lose(&self, mut place: Place) {
        if let Some(permit) = place.permit.take() {
            permit.forget();
            if self.lost.fetch_add(1, Ordering::SeqCst) + 1 >= self.size {
                self.places.close();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failed_nodes_use_the_budget_up() {
        assert!(Budget::new(2, 2).take().await.is_none());
        assert!(Budget::new(2, 1).try_take().is_some());
        let budget = Budget::new(2, 0);
        let first = budget.take().await.unwrap();
        let second = budget.take().await.unwrap();
        assert!(budget.try_take().is_none());
        drop(first);
        let third = budget.take().await.unwrap();
        budget.lose(second);
        assert!(budget.try_take().is_none());
        budget.lose(third);
        assert!(budget.take().await.is_none());
    }
}
