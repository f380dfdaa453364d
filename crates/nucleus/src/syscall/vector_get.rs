//! vector_get: read a vector, its nearest, or the neighbours of a node.
//!
//! Right: READ on the store. Effect: the answer is in the caller's window;
//! with the opening of a slot on request. A search is paid by the nodes it
//! visits. The result is the answer's length. Errors: NotFound, TooSmall,
//! BadLength, NotFinite, ZeroNorm, FuelBudget; a list of edges that does not
//! fit is cut, and goes on from where the caller asks next.

use super::{Context, Done, Effect, length};
use crate::{region::copy, store::SlotTree, world::World};
use abi::{
    EntryHead, Error, GetByKey, GetNearest, GetNeighbours, Neighbour, NeighboursOf, NodeHead,
    OpeningHead,
    profile::{NEAREST_MAX, VISIT_MAX, visit_fuel},
};
use witness::Hash;

/// Nodes that a search visits where the caller does not say.
const VISIT_DEFAULT: u32 = 512;

/// Most neighbours, as a number of places.
const NEAREST: usize = NEAREST_MAX as usize;

/// Fuel for each edge that is listed.
const EDGE_FUEL: u64 = 20;

/// The window, filled from the front.
struct Answer<'a> {
    window: &'a mut [u8],
    filled: usize,
}

impl<'a> Answer<'a> {
    /// An answer of so many bytes: nothing is written of one that is too long.
    fn of(length: usize, window: &'a mut [u8]) -> Result<Self, Error> {
        if length > window.len() {
            return Err(Error::TooSmall);
        }
        Ok(Self { window, filled: 0 })
    }

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

/// Bytes of an opening in this tree.
fn opening_size(tree: &SlotTree) -> usize {
    let depth = usize::try_from(tree.depth()).unwrap_or(usize::MAX);
    depth.saturating_mul(size_of::<Hash>()).saturating_add(OpeningHead::SIZE)
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
    let opening = if with_opening { opening_size(store.tree()) } else { 0 };
    let head = opening.saturating_add(EntryHead::SIZE);
    let (slot, mut answer) = match store.find(key) {
        Some(slot) => {
            let entry = store.entry(slot).ok_or(Error::NotFound)?;
            let length = size_of_val(entry.vector).saturating_add(head);
            let mut answer = Answer::of(length, into)?;
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
            (slot, answer)
        }
        None if with_opening => {
            let slot = store.place(key).ok_or(Error::StoreFull)?;
            let mut answer = Answer::of(head, into)?;
            let (writes, subject, sequence, dimension) = (0, 0, 0, 0);
            let head = EntryHead { slot, writes, subject, sequence, coherence: 0.0, dimension };
            answer.put(&head.to_bytes())?;
            (slot, answer)
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
    let mut list = [[0; Neighbour::SIZE]; NEAREST];
    let mut places = list.iter_mut();
    let store = &mut world.objects.vectors_mut(object)?.store;
    let visited = store.nearest(query, k, is_exact, visit, &mut |key, score, slot| {
        if let Some(place) = places.next() {
            *place = Neighbour { key, score, slot }.to_bytes();
        }
    });
    let left = places.len();
    // One that was refused has looked at nothing.
    let paid = each.saturating_mul(u64::from(*visited.as_ref().unwrap_or(&0)));
    world.refund(most.saturating_sub(paid));
    visited?;
    let found = NEAREST.saturating_sub(left);
    let mut answer = Answer::of(found.saturating_mul(Neighbour::SIZE), into)?;
    for neighbour in list.iter().take(found) {
        answer.put(neighbour)?;
    }
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
    let length = match of {
        NeighboursOf::Edges => 0,
        _ => opening_size(store.tree()).saturating_add(NodeHead::SIZE),
    };
    let mut answer;
    match of {
        NeighboursOf::Edges => {
            store.node(key).ok_or(Error::NotFound)?;
            answer = Answer::of(length, into)?;
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
            answer = Answer::of(length, into)?;
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
            answer = Answer::of(length, into)?;
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
