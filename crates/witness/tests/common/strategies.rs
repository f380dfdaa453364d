//! Any record that could be written.

use abi::{Call, Error, Handle};
use proptest::{collection::vec, option, prelude::*, sample::select};
use witness::record::*;

/// Bytes that outlive the test case; a few megabytes in all.
fn leaked(length: impl Strategy<Value = usize>) -> impl Strategy<Value = &'static [u8]> {
    length.prop_flat_map(|length| vec(any::<u8>(), length)).prop_map(|bytes| &*bytes.leak())
}

fn calls() -> impl Strategy<Value = (Verdict, Body<'static>)> {
    let verdict = prop_oneof![
        Just(Verdict::Allowed),
        select(Error::ALL)
            .prop_filter("is an outcome of its own", |error| *error != Error::CutShort)
            .prop_map(Verdict::Denied),
        Just(Verdict::CutShort),
    ];
    let numbers = (any::<u32>(), any::<u32>(), any::<u64>(), any::<u32>(), any::<u64>());
    let rest = (any::<i64>(), any::<[u8; 32]>(), leaked(0..=TAIL_MAX));
    (select(Call::ALL.as_slice()), verdict, 0u32..6, numbers, rest).prop_filter_map(
        "an allowed call has an operation",
        |(call, verdict, operation, (handle, object, badge, length, argument), rest)| {
            let is_known = call.operation(operation).is_some();
            let allowed = verdict == Verdict::Allowed;
            let has_tail = matches!(call, Call::TaskSpawn | Call::RvfMount | Call::AttestEmit);
            let body = CallBody {
                call,
                handle: Handle(handle),
                object,
                badge,
                operation,
                length,
                argument,
                result: if allowed { rest.0 } else { 0 },
                digest: rest.1,
                tail: if has_tail { Short::new(rest.2)? } else { Short::EMPTY },
            };
            (is_known || !allowed).then_some((verdict, Body::Call(body)))
        },
    )
}

fn machines() -> impl Strategy<Value = MachineFacts> {
    let digests = any::<[[u8; 32]; 5]>();
    let small = (any::<[u8; 16]>(), any::<u64>(), 0..16u8);
    let place = (select(Arch::ALL), select(Board::ALL));
    (option::of(any::<[u8; 32]>()), digests, small, place).prop_map(
        |(nonce, digests, (boot_id, serial, bits), (arch, board))| {
            let all =
                [Flags::FLUSHES, Flags::TO_DISK, Flags::DEVELOPMENT_KEYS, Flags::KERNEL_CHECKED];
            let set = all.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
            MachineFacts {
                nonce,
                previous_checkpoint: digests[0],
                boot_id,
                kernel: digests[1],
                loader: digests[2],
                trust: digests[3],
                device_key: digests[4],
                serial,
                arch,
                board,
                flags: set.fold(Flags::NONE, |flags, (_, flag)| flags.union(*flag)),
            }
        },
    )
}

fn events() -> impl Strategy<Value = Body<'static>> {
    let event = (select(EventKind::ALL), any::<bool>(), any::<u32>(), leaked(0..900usize))
        .prop_filter_map("the kind asks for another length", |(kind, signed, source, data)| {
            Event::new(kind, signed, source, data).map(Body::Event)
        });
    let continuation = (1u32..256, leaked(1..=EVENT_PART)).prop_map(|(part, data)| {
        Body::Continuation(Continuation { offset: part * 256, data: Short::new(data).unwrap() })
    });
    prop_oneof![event, continuation]
}

fn ends() -> impl Strategy<Value = Body<'static>> {
    let digest = any::<[u8; 32]>();
    prop_oneof![
        (select(TrapCode::ALL.as_slice()), digest)
            .prop_map(|((code, _), component)| Body::Trap(Trap { code, component })),
        (any::<u64>(), any::<u64>())
            .prop_map(|(budget, spent)| Body::OutOfFuel(OutOfFuel { budget, spent })),
        (any::<i32>(), any::<u32>()).prop_map(|(code, pages)| Body::Exit(Exit { code, pages })),
        any::<u64>().prop_map(|limit| {
            Body::BudgetSpent(BudgetSpent { budget: Budget::Records, limit })
        }),
        (any::<u32>(), any::<bool>(), digest, any::<u64>()).prop_map(
            |(store, allowed, component, fuel)| {
                Body::Guard(Guard { store, allowed, component, fuel })
            }
        ),
    ]
}

fn roots() -> impl Strategy<Value = Body<'static>> {
    let reasons = [RootReason::Exit, RootReason::Snapshot, RootReason::Manifest];
    (select(reasons.to_vec()), any::<[u8; 32]>())
        .prop_map(|(reason, root)| Body::StateRoot(StateRoot { reason, root }))
}

fn geneses() -> impl Strategy<Value = Body<'static>> {
    ("[!-~]{1,128}", any::<[[u8; 32]; 2]>(), any::<u64>()).prop_map(|(name, digests, seed)| {
        let profile = Short::new(&*name.into_bytes().leak()).unwrap();
        Body::Genesis(Genesis { package: digests[0], seed, state_root: digests[1], profile })
    })
}

/// Any record that is sound by itself.
pub fn records() -> impl Strategy<Value = Record<'static>> {
    let tasks = 1u32..u32::MAX - 1;
    let kernel_or_task = prop_oneof![Just(0u32), tasks.clone()];
    let allowed = |body| (Verdict::Allowed, body);
    let ordinary = prop_oneof![
        4 => (kernel_or_task.clone(), calls()),
        1 => (Just(u32::MAX), events().prop_map(allowed)),
        1 => (tasks, ends().prop_map(allowed)),
        1 => (kernel_or_task, roots().prop_map(allowed)),
    ];
    let header =
        (any::<u32>(), any::<[u64; 3]>(), any::<[u8; 32]>(), option::of(any::<[u8; 32]>()));
    let ordinary = (ordinary, header).prop_map(
        |((subject, (verdict, body)), (sequence, [time_ns, slice, fuel], previous, cause))| {
            Record {
                verdict,
                subject: Subject(subject),
                sequence,
                point: Point { time_ns, slice, fuel },
                previous,
                // A zero cause is none.
                cause: cause.filter(|cause| *cause != [0; 32]),
                body,
            }
        },
    );
    let first = |subject, previous, body| Record {
        verdict: Verdict::Allowed,
        subject,
        sequence: 0,
        point: Point::default(),
        previous,
        cause: None,
        body,
    };
    prop_oneof![
        8 => ordinary,
        1 => geneses().prop_map(move |body| first(Subject::KERNEL, [0; 32], body)),
        1 => (machines(), any::<[u8; 32]>())
            .prop_map(move |(facts, previous)| first(Subject::MACHINE, previous, Body::Machine(facts))),
    ]
}
