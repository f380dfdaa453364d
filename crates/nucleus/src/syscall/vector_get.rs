//! vector_get: read a vector, its nearest, or the neighbours of a node.
//!
//! Right: READ on the store. Effect: the answer is in the caller's window;
//! with the opening of a slot on request. A search is paid by the nodes it
//! visits. The result is the answer's length. Errors: NotFound, TooSmall,
//! BadLength, NotFinite, ZeroNorm, FuelBudget; a list that does not fit is
//! cut, and goes on from where the caller asks next.

use super::{Context, Done, Effect, length};
use crate::{region::copy, store::SlotTree, world::World};
use abi::{
    EntryHead, Error, GetByKey, GetNearest, GetNeighbours, Neighbour, NeighboursOf, NodeHead,
    OpeningHead,
    profile::{NEAREST_MAX, VISIT_MAX, visit_fuel},
};

/// Nodes that a search visits where the caller does not say.
const VISIT_DEFAULT: u32 = 512;

/// Fuel for each edge that is listed.
const EDGE_FUEL: u64 = 20;

/// The window, filled from the front.
struct Answer<'a> {
    window: &'a mut [u8],
    filled: usize,
}

impl Answer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.filled.checked_add(bytes.len()).ok_or(Error::TooSmall)?;
        let room = self.window.get_mut(self.filled..end).ok_or(Error::TooSmall)?;
        copy(room, bytes);
        self.filled = end;
        Ok(())
    }

    fn opening(&mut self, tree: &SlotTree, slot: u32) -> Result<(), Error> {
        let leaf = tree.leaf(slot).ok_or(Error::OutOfRange)?;
        let (root, depth) = (tree.root(), tree.depth());
        self.put(&OpeningHead { leaf, root, depth }.to_bytes())?;
        for level in 0..depth {
            self.put(&tree.sibling(slot, level).ok_or(Error::OutOfRange)?)?;
        }
        Ok(())
    }
}

fn answered(world: &World, answer: &Answer<'_>) -> Result<Effect, Error> {
    let bytes = answer.window.get(..answer.filled).unwrap_or_default();
    let length = length(bytes)?;
    let digest = world.hasher.hash(bytes);
    Ok(Effect::Done(Done { result: i64::from(length), length, digest, cause: None }))
}

pub(super) fn by_key(
    world: &mut World,
    context: &Context<'_>,
    question: &[u8],
    into: &mut [u8],
) -> Result<Effect, Error> {
    let question = question.try_into().map_err(|_| Error::BadLength)?;
    let GetByKey { key, with_opening } =
        GetByKey::from_bytes(question).ok_or(Error::BadArgument)?;
    let vectors = world.objects.vectors_mut(context.authorised.object())?;
    let store = &vectors.store;
    let mut answer = Answer { window: into, filled: 0 };
    let slot = match store.find(key) {
        Some(slot) => {
            let entry = store.entry(slot).ok_or(Error::NotFound)?;
            let head = EntryHead {
                slot,
                writes: entry.writes,
                subject: entry.subject,
                sequence: entry.sequence,
                coherence: entry.coherence,
                dimension: store.terms().dimension,
            };
            answer.put(&head.to_bytes())?;
            for number in entry.vector {
                answer.put(&number.to_le_bytes())?;
            }
            slot
        }
        None if with_opening => {
            let slot = store.place(key).ok_or(Error::StoreFull)?;
            let (writes, subject, sequence, dimension) = (0, 0, 0, 0);
            let head = EntryHead { slot, writes, subject, sequence, coherence: 0.0, dimension };
            answer.put(&head.to_bytes())?;
            slot
        }
        None => return Err(Error::NotFound),
    };
    if with_opening {
        answer.opening(store.tree(), slot)?;
    }
    answered(world, &answer)
}

pub(super) fn nearest(
    world: &mut World,
    context: &Context<'_>,
    question: &[u8],
    into: &mut [u8],
) -> Result<Effect, Error> {
    let object = context.authorised.object();
    let (head, query) = question.split_first_chunk().ok_or(Error::BadLength)?;
    let GetNearest { k, is_exact, visit } =
        GetNearest::from_bytes(head).ok_or(Error::BadArgument)?;
    if k == 0 || k > NEAREST_MAX || visit > VISIT_MAX {
        return Err(Error::BadArgument);
    }
    let store = &world.objects.vectors_mut(object)?.store;
    let visit = match visit {
        _ if is_exact => store.count(),
        0 => VISIT_DEFAULT,
        some => some,
    };
    // Paid in full before, given back below.
    let each = visit_fuel(store.terms().dimension);
    let most = each.saturating_mul(u64::from(visit));
    world.pay(most)?;
    let mut answer = Answer { window: into, filled: 0 };
    let mut fits = Ok(());
    let store = &mut world.objects.vectors_mut(object)?.store;
    let visited = store.nearest(query, k, is_exact, visit, &mut |key, score, slot| {
        if fits.is_ok() {
            fits = answer.put(&Neighbour { key, score, slot }.to_bytes());
        }
    })?;
    fits?;
    world.refund(most.saturating_sub(each.saturating_mul(u64::from(visited))));
    answered(world, &answer)
}

pub(super) fn neighbours(
    world: &mut World,
    context: &Context<'_>,
    question: &[u8],
    into: &mut [u8],
) -> Result<Effect, Error> {
    let question = question.try_into().map_err(|_| Error::BadLength)?;
    let GetNeighbours { key, other, of } =
        GetNeighbours::from_bytes(question).ok_or(Error::BadArgument)?;
    let window = into.len() / Neighbour::SIZE;
    if of == NeighboursOf::Edges {
        let edges = u64::try_from(window).unwrap_or(u64::MAX);
        world.pay(EDGE_FUEL.saturating_mul(edges))?;
    }
    let store = &world.objects.graph_mut(context.authorised.object())?.store;
    let mut answer = Answer { window: into, filled: 0 };
    match of {
        NeighboursOf::Edges => {
            store.node(key).ok_or(Error::NotFound)?;
            for edge in store.out_edges(key, other).take(window) {
                let neighbour = Neighbour { key: edge.to, score: edge.weight, slot: edge.slot };
                answer.put(&neighbour.to_bytes())?;
            }
        }
        NeighboursOf::Node => {
            let found = store.node(key).map(|node| NodeHead {
                slot: node.slot,
                writes: node.writes,
                subject: node.subject,
                sequence: node.sequence,
                degree: node.degree,
                is_present: true,
            });
            let head = found.or_else(|| store.place_node(key).map(absent));
            let head = head.ok_or(Error::StoreFull)?;
            answer.put(&head.to_bytes())?;
            answer.opening(store.tree(), head.slot)?;
        }
        NeighboursOf::Edge => {
            let found = store.edge(key, other).map(|edge| NodeHead {
                slot: edge.slot,
                writes: edge.writes,
                subject: edge.subject,
                sequence: edge.sequence,
                degree: 0,
                is_present: true,
            });
            let head = found.or_else(|| store.place_edge(key, other).map(absent));
            let head = head.ok_or(Error::StoreFull)?;
            answer.put(&head.to_bytes())?;
            answer.opening(store.tree(), head.slot)?;
        }
    }
    answered(world, &answer)
}

/// What there is to say of a free slot.
fn absent(slot: u32) -> NodeHead {
    NodeHead { slot, writes: 0, subject: 0, sequence: 0, degree: 0, is_present: false }
}
