use std::collections::HashMap;

/// Stands for no corner.
pub(super) const NO_NODE: u32 = u32::MAX;

/// A pixel corner in level-0 pixels, (0, 0) being the outer corner of the upper-left pixel.
pub(super) type Corner = (u32, u32);

/// A corner where a ring turns.
struct Node {
    at: Corner,
    /// The next turn of the ring; [`NO_NODE`] while it is not known.
    next: u32,
    /// The next node in a list of nodes that rings of one region start with.
    sibling: u32,
    /// Whether two pixels of one class meet here by their corners only.
    is_pinch: bool,
}

/// The turns of all rings that are not handed out yet, joined while a sweep meets them.
///
/// Places of rings that were handed out are used again.
#[derive(Default)]
pub(super) struct Chains {
    nodes: Vec<Node>,
    free: Vec<u32>,
}

/// Nodes that together reach every ring of a region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries {
    first: u32,
    last: u32,
}

impl Entries {
    /// None yet.
    pub(super) const NONE: Self = Self {
        first: NO_NODE,
        last: NO_NODE,
    };
}

impl Chains {
    /// A turn that is not joined to others yet.
    pub(super) fn add(&mut self, at: Corner, is_pinch: bool) -> u32 {
        let node = Node {
            at,
            next: NO_NODE,
            sibling: NO_NODE,
            is_pinch,
        };
        if let Some(place) = self.free.pop() {
            self.nodes[place as usize] = node;
            return place;
        }
        let place = u32::try_from(self.nodes.len()).expect("turns fit in memory, so in 32 bits");
        self.nodes.push(node);
        place
    }

    /// Lets a ring go on from a turn to another.
    pub(super) fn join(&mut self, from: u32, to: u32) {
        self.nodes[from as usize].next = to;
    }

    /// Adds a node to those that a region's rings are looked up by.
    pub(super) fn add_entry(&mut self, entries: &mut Entries, node: u32) {
        let one = Entries {
            first: node,
            last: node,
        };
        self.append(entries, one);
    }

    /// Puts `more` behind `entries`.
    pub(super) fn append(&mut self, entries: &mut Entries, more: Entries) {
        if entries.first == NO_NODE {
            *entries = more;
        } else if more.first != NO_NODE {
            self.nodes[entries.last as usize].sibling = more.first;
            entries.last = more.last;
        }
    }

    /// Takes out the rings that the entries are on, all of them closed: the outer one first, then
    /// its holes by row and column. Each starts with its topmost corner, the leftmost of these.
    pub(super) fn take_rings(&mut self, entries: Entries) -> Vec<Vec<Corner>> {
        let mut rings = Vec::new();
        let (mut points, mut pinches) = (Vec::new(), Vec::new());
        let mut entry = entries.first;
        while entry != NO_NODE {
            points.clear();
            pinches.clear();
            let mut at = entry;
            loop {
                let node = &mut self.nodes[at as usize];
                // What was walked before has no next one any more.
                let next = std::mem::replace(&mut node.next, NO_NODE);
                if next == NO_NODE {
                    break;
                }
                if node.is_pinch {
                    pinches.push(points.len());
                }
                points.push(node.at);
                self.free.push(at);
                at = next;
            }
            if !points.is_empty() {
                add_simple_rings(&points, &pinches, &mut rings);
            }
            entry = self.nodes[entry as usize].sibling;
        }
        in_order(rings)
    }
}

/// Cuts a ring where it touches itself, so that each part meets each corner once.
///
/// The ring keeps to the pixels of its region, so where two of them meet by corners only it comes
/// by twice and the ground between them lies outside. What is enclosed so is a hole of its own,
/// which is what the OGC Simple Features standard (06-103r4, 6.1.11) asks of valid polygons.
fn add_simple_rings(points: &[Corner], pinches: &[usize], rings: &mut Vec<Vec<Corner>>) {
    if pinches.len() < 2 {
        rings.push(points.to_vec());
        return;
    }
    let mut open = HashMap::new();
    let mut kept: Vec<Corner> = Vec::with_capacity(points.len());
    let mut from = 0;
    for &pinch in pinches {
        kept.extend_from_slice(&points[from..pinch]);
        from = pinch;
        // Visits never interleave: all the ground they close off is on one side of the ring.
        if let Some(start) = open.remove(&points[pinch]) {
            rings.push(kept.split_off(start));
        } else {
            open.insert(points[pinch], kept.len());
        }
    }
    kept.extend_from_slice(&points[from..]);
    rings.push(kept);
}

fn in_order(mut rings: Vec<Vec<Corner>>) -> Vec<Vec<Corner>> {
    let key = |&(x, y): &Corner| (y, x);
    for ring in &mut rings {
        let top = (0..ring.len())
            .min_by_key(|&index| key(&ring[index]))
            .unwrap_or(0);
        ring.rotate_left(top);
    }
    // From its top left corner the outer ring goes down, those of holes go right.
    rings.sort_unstable_by_key(|ring| (ring[0].0 != ring[1].0, key(&ring[0])));
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rings of closed chains of turns, of which the marked ones are pinches.
    fn rings_of(chains: &[&[(Corner, bool)]]) -> Vec<Vec<Corner>> {
        let mut all = Chains::default();
        let mut entries = Entries::NONE;
        for chain in chains {
            let nodes: Vec<u32> = chain
                .iter()
                .map(|&(at, is_pinch)| all.add(at, is_pinch))
                .collect();
            for (index, &node) in nodes.iter().enumerate() {
                all.join(node, nodes[(index + 1) % nodes.len()]);
                all.add_entry(&mut entries, node);
            }
        }
        let rings = all.take_rings(entries);
        assert_eq!(all.free.len(), all.nodes.len(), "all places are free again");
        rings
    }

    #[test]
    fn each_ring_is_taken_once_and_the_outer_one_is_first() {
        let hole = [(1, 1), (2, 1), (2, 2), (1, 2)].map(|at| (at, false));
        let outer = [(4, 4), (4, 0), (0, 0), (0, 4)].map(|at| (at, false));
        assert_eq!(
            rings_of(&[&hole, &outer]),
            [
                [(0, 0), (0, 4), (4, 4), (4, 0)],
                [(1, 1), (2, 1), (2, 2), (1, 2)]
            ]
        );
    }

    #[test]
    fn a_hole_that_touches_the_outside_is_cut_off() {
        // A ring of eight pixels around one without that in the lower right corner.
        let ring = [
            ((0, 0), false),
            ((0, 3), false),
            ((2, 3), false),
            ((2, 2), true),
            ((1, 2), false),
            ((1, 1), false),
            ((2, 1), false),
            ((2, 2), true),
            ((3, 2), false),
            ((3, 0), false),
        ];
        assert_eq!(
            rings_of(&[&ring]),
            [
                vec![(0, 0), (0, 3), (2, 3), (2, 2), (3, 2), (3, 0)],
                vec![(1, 1), (2, 1), (2, 2), (1, 2)],
            ]
        );
    }
}
