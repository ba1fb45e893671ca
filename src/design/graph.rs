//! Orders and cycles of things that refer to each other.
//!
//! Owns the two questions that profiles and steps ask of a graph. Things are positions; edges point from what
//! comes first to what comes after it.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Every cycle with its members in order of position.
pub fn cycles(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), ()>::with_capacity(count, edges.len());
    for _ in 0..count {
        graph.add_node(());
    }
    for (before, after) in edges {
        graph.add_edge(NodeIndex::new(*before), NodeIndex::new(*after), ());
    }
    let own: HashSet<usize> = edges.iter().filter(|(from, to)| from == to).map(|(from, _)| *from).collect();
    let mut cycles: Vec<Vec<usize>> = kosaraju_scc(&graph)
        .into_iter()
        .map(|members| members.into_iter().map(NodeIndex::index).collect::<Vec<usize>>())
        .filter(|members| members.len() > 1 || own.contains(&members[0]))
        .collect();
    cycles.iter_mut().for_each(|members| members.sort_unstable());
    cycles.sort();
    cycles
}

/// All positions so that each stands after those before it, else in their own order. Members of cycles are left out.
pub fn order(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waiting = vec![0usize; count];
    let mut followers = vec![Vec::new(); count];
    for (before, after) in edges {
        waiting[*after] += 1;
        followers[*before].push(*after);
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        (0..count).filter(|position| waiting[*position] == 0).map(Reverse).collect();
    let mut ordered = Vec::with_capacity(count);
    while let Some(Reverse(position)) = ready.pop() {
        ordered.push(position);
        for follower in &followers[position] {
            waiting[*follower] -= 1;
            if waiting[*follower] == 0 {
                ready.push(Reverse(*follower));
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_stable_and_cycles_name_their_members() {
        assert_eq!(order(4, &[(3, 0), (0, 2)]), [1, 3, 0, 2]);
        assert_eq!(cycles(5, &[(0, 1), (1, 0), (2, 2), (3, 4)]), [vec![0, 1], vec![2]]);
    }
}
