/// A graph whose nodes are joined to a source, a sink and one another; finds its minimum cut.
///
/// E. Dinic's algorithm (1970): shortest augmenting paths, all of one length at a time. The source
/// and the sink are no nodes but capacities at each node, as in Y. Boykov, V. Kolmogorov, "An
/// experimental comparison of min-cut/max-flow algorithms", IEEE TPAMI 26 (2004).
pub(super) struct FlowGraph {
    /// What may still flow from the source into a node, or (below zero) from it into the sink.
    terminal: Vec<f32>,
    /// Pairs of directed edges: number e runs against number e ^ 1.
    edges: Vec<Edge>,
    /// Numbers of the edges out of a node: `out[first[node]..first[node + 1]]`.
    out: Vec<u32>,
    first: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Edge {
    to: u32,
    left: f32,
}

/// Capacities below this are rounding.
const NOTHING: f32 = 1e-5;

/// Not reached from the source.
const UNREACHED: u32 = u32::MAX;

impl FlowGraph {
    /// Nodes with these terminal capacities (above zero from the source, below zero to the sink)
    /// and edges (from, to, capacity, capacity back).
    pub(super) fn new(terminal: Vec<f32>, pairs: &[(u32, u32, f32, f32)]) -> Self {
        let num = terminal.len();
        let mut edges = Vec::with_capacity(pairs.len() * 2);
        let mut first = vec![0_u32; num + 1];
        for &(from, to, left, back) in pairs {
            edges.push(Edge { to, left });
            edges.push(Edge {
                to: from,
                left: back,
            });
            first[from as usize + 1] += 1;
            first[to as usize + 1] += 1;
        }
        for node in 0..num {
            first[node + 1] += first[node];
        }
        let mut at = first.clone();
        let mut out = vec![0; edges.len()];
        for number in 0..edges.len() {
            let from = edges[number ^ 1].to as usize;
            out[at[from] as usize] = number as u32;
            at[from] += 1;
        }
        Self {
            terminal,
            edges,
            out,
            first,
        }
    }

    /// Whether each node is on the source's side of the minimum cut; the fewest nodes that can be.
    pub(super) fn cut(mut self) -> Vec<bool> {
        let mut level = vec![UNREACHED; self.terminal.len()];
        let mut queue = Vec::with_capacity(self.terminal.len());
        while self.find_levels(&mut level, &mut queue) {
            let mut at = self.first.clone();
            for &node in &queue {
                if level[node as usize] != 0 {
                    break;
                }
                self.push_from(node, &mut level, &mut at);
            }
        }
        level.into_iter().map(|level| level != UNREACHED).collect()
    }

    /// Numbers nodes by how many edges from the source they are; whether the sink is reached.
    fn find_levels(&self, level: &mut [u32], queue: &mut Vec<u32>) -> bool {
        level.fill(UNREACHED);
        queue.clear();
        for (node, &capacity) in self.terminal.iter().enumerate() {
            if capacity > NOTHING {
                level[node] = 0;
                queue.push(node as u32);
            }
        }
        let (mut at, mut is_reached) = (0, false);
        while let Some(&node) = queue.get(at) {
            at += 1;
            let node = node as usize;
            is_reached |= self.terminal[node] < -NOTHING;
            for &number in &self.out[self.first[node] as usize..self.first[node + 1] as usize] {
                let edge = self.edges[number as usize];
                if edge.left > NOTHING && level[edge.to as usize] == UNREACHED {
                    level[edge.to as usize] = level[node] + 1;
                    queue.push(edge.to);
                }
            }
        }
        is_reached
    }

    /// Sends what the source has for `start` to the sink along ever higher levels.
    fn push_from(&mut self, start: u32, level: &mut [u32], at: &mut [u32]) {
        let mut path: Vec<u32> = Vec::new();
        let mut node = start as usize;
        while self.terminal[start as usize] > NOTHING {
            if self.terminal[node] < -NOTHING {
                node = self.augment(start as usize, node, &mut path);
                continue;
            }
            let end = self.first[node + 1];
            let next = (at[node]..end).find(|&place| {
                let edge = self.edges[self.out[place as usize] as usize];
                edge.left > NOTHING
                    && level[edge.to as usize] != UNREACHED
                    && level[edge.to as usize] == level[node] + 1
            });
            if let Some(place) = next {
                at[node] = place;
                let number = self.out[place as usize];
                path.push(number);
                node = self.edges[number as usize].to as usize;
            } else {
                at[node] = end;
                let Some(number) = path.pop() else {
                    return;
                };
                node = self.edges[number as usize ^ 1].to as usize;
                at[node] += 1;
            }
        }
    }

    /// Sends what fits along `path` from `start` to `last` and the sink; cuts the path behind the
    /// first full edge and gives the node there.
    fn augment(&mut self, start: usize, last: usize, path: &mut Vec<u32>) -> usize {
        let fits = path
            .iter()
            .map(|&number| self.edges[number as usize].left)
            .fold(self.terminal[start].min(-self.terminal[last]), f32::min);
        self.terminal[start] -= fits;
        self.terminal[last] += fits;
        let mut full = None;
        for (place, &number) in path.iter().enumerate() {
            let number = number as usize;
            self.edges[number].left -= fits;
            self.edges[number ^ 1].left += fits;
            if full.is_none() && self.edges[number].left <= NOTHING {
                full = Some((place, self.edges[number ^ 1].to as usize));
            }
        }
        match full {
            Some((place, node)) => {
                path.truncate(place);
                node
            }
            None => last,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a cut costs: capacities from its inside to its outside.
    fn price(terminal: &[f32], pairs: &[(u32, u32, f32, f32)], is_in: &[bool]) -> f32 {
        let ends = terminal.iter().zip(is_in).map(|(&capacity, &is_in)| {
            if is_in {
                (-capacity).max(0.0)
            } else {
                capacity.max(0.0)
            }
        });
        let edges = pairs.iter().map(|&(from, to, there, back)| {
            match (is_in[from as usize], is_in[to as usize]) {
                (true, false) => there,
                (false, true) => back,
                _ => 0.0,
            }
        });
        ends.sum::<f32>() + edges.sum::<f32>()
    }

    proptest! {
        #[test]
        fn no_cut_is_cheaper(
            terminal in prop::collection::vec(-9_i8..=9, 1..9),
            pairs in prop::collection::vec((0_u32..9, 0_u32..9, 0_u8..6, 0_u8..6), 0..20),
        ) {
            let num = terminal.len() as u32;
            let terminal: Vec<f32> = terminal.into_iter().map(f32::from).collect();
            let pairs: Vec<_> = pairs
                .into_iter()
                .map(|(from, to, there, back)| {
                    (from % num, to % num, f32::from(there), f32::from(back))
                })
                .filter(|(from, to, ..)| from != to)
                .collect();
            let cut = FlowGraph::new(terminal.clone(), &pairs).cut();
            let all = (0..1_u32 << num)
                .map(|bits| (0..num).map(|node| bits >> node & 1 == 1).collect::<Vec<bool>>());
            let least = all
                .map(|is_in| price(&terminal, &pairs, &is_in))
                .fold(f32::INFINITY, f32::min);
            prop_assert_eq!(price(&terminal, &pairs, &cut), least);
        }
    }

    #[test]
    fn the_weakest_link_of_a_chain_is_cut() {
        let pairs = [(0, 1, 5.0, 5.0), (1, 2, 1.0, 1.0), (2, 3, 4.0, 4.0)];
        let cut = FlowGraph::new(vec![9.0, 0.0, 0.0, -9.0], &pairs).cut();
        assert_eq!(cut, [true, true, false, false]);
        assert!(FlowGraph::new(Vec::new(), &[]).cut().is_empty());
    }
}
