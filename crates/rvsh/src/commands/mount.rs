//! `mount`: the packages that are mounted, and mounting another one.

use alloc::format;
use alloc::string::{String, ToString};

use ::witness::json::{Object, Value};
use nucleus::view::Partition;
use package::manifest::is_name;

use crate::answer::{Action, Answer, Refusal};
use crate::command::{Argument, Command, Request, shown};
use crate::commands::{ROWS, more, number};
use crate::table::{Align, Table};
use crate::units::Bytes;
use crate::view::{Module, View};

pub(crate) const COMMAND: Command = Command {
    name: "mount",
    arguments: "[MODULE [PATH]]",
    help: "the packages mounted, or mount another one",
    details: "Alone, one row a package: where it is mounted, its name, the record of its\n\
              mount, its tasks that are alive, and its objects; then the modules that the\n\
              loader handed over and that can be mounted. With a module's name, mounts it\n\
              under PATH, or under the module's own name: an event in the log, then a call\n\
              of the kernel's, with the same checks as for the package that the machine\n\
              was started with. The tasks that it lists are started.",
    json: true,
    completes: &[Argument::Module],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    let view = request.view;
    match request.arguments[..] {
        [] if request.json => Ok(Answer::json(&json(view))),
        [] => Ok(Answer::text(text(view))),
        [module] if !request.json => mount(view, module, module),
        [module, path] if !request.json => mount(view, module, path),
        _ => Err(request.usage()),
    }
}

fn mount(view: &dyn View, module: &str, path: &str) -> Result<Answer, Refusal> {
    let modules = view.modules();
    if !modules.iter().any(|it| it.name == module) {
        let names: alloc::vec::Vec<&str> = modules.iter().map(|it| it.name.as_str()).collect();
        return Err(Refusal(match names[..] {
            [] => format!(
                "There is no module `{}`: the loader handed over none that can be mounted.",
                shown(module)
            ),
            _ => format!("There is no module `{}`; there is: {}.", shown(module), names.join(", ")),
        }));
    }
    if !is_name(path) {
        return Err(Refusal(format!(
            "`{}` is no path: letters, digits, dots, hyphens and underscores, the first of them \
             a letter or digit.",
            shown(path)
        )));
    }
    if view.nucleus().partitions().any(|it| it.path == path) {
        return Err(Refusal(format!("A package is mounted at `{path}` already.")));
    }
    let said = format!("The mount of {module} at {path} becomes an event in the log.");
    let (module, path) = (String::from(module), String::from(path));
    Ok(Answer::act(said, Action::Mount { module, path }))
}

fn text(view: &dyn View) -> String {
    let nucleus = view.nucleus();
    let modules = view.modules();
    let mut text = match nucleus.partitions().next() {
        None => String::from("No package is mounted.\n"),
        Some(_) => packages(view),
    };
    if !modules.is_empty() {
        let mut table = Table::new(&[("module", Align::Left), ("size", Align::Right)]);
        for Module { name, bytes } in modules.iter().take(ROWS) {
            table.row([name.clone(), Bytes(*bytes).to_string()]);
        }
        text = text + "\n" + &table.render();
    }
    text
}

fn packages(view: &dyn View) -> String {
    let nucleus = view.nucleus();
    let mut table = Table::new(&[
        ("path", Align::Left),
        ("package", Align::Left),
        ("record", Align::Right),
        ("tasks", Align::Right),
        ("objects", Align::Right),
    ]);
    for it in nucleus.partitions().take(ROWS) {
        let (tasks, objects) = contents(view, it);
        let name = if it.name.is_empty() { "-".into() } else { it.name.clone() };
        let numbers = [it.mount.0, tasks, objects].map(|number| number.to_string());
        table.row([it.path.clone(), name].into_iter().chain(numbers));
    }
    table.render() + &more(nucleus.partitions().count(), "package")
}

/// How many tasks of a package are alive, and how many objects it has.
fn contents(view: &dyn View, of: &Partition) -> (u64, u64) {
    let nucleus = view.nucleus();
    // A partition is known by its mount.
    let is_its = |id| nucleus.partition(id).is_some_and(|it| it.mount == of.mount);
    let tasks = nucleus
        .tasks()
        .filter(|(_, task)| task.state().is_alive() && task.partition.is_some_and(is_its));
    let objects = nucleus.objects().filter(|(_, object)| object.partition.is_some_and(is_its));
    (tasks.count() as u64, objects.count() as u64)
}

fn json(view: &dyn View) -> Value {
    let package = |it: &Partition| {
        let (tasks, objects) = contents(view, it);
        Object::new()
            .with("objects", number(objects))
            .with("package", it.name.as_str())
            .with("path", it.path.as_str())
            .with("record", number(it.mount.0))
            .with("tasks", number(tasks))
            .into()
    };
    let modules = view.modules();
    let module = |it: &Module| {
        Object::new().with("bytes", number(it.bytes)).with("name", it.name.as_str()).into()
    };
    let packages = view.nucleus().partitions().take(ROWS).map(package);
    Object::new()
        .with("modules", modules.iter().map(module).collect::<Value>())
        .with("packages", packages.collect::<Value>())
        .into()
}

#[cfg(test)]
mod tests {
    use crate::sample::Sample;
    use crate::{Action, execute};

    #[test]
    fn what_is_mounted_stands_beside_what_could_be() {
        assert_eq!(
            Sample::new().said("mount"),
            "\
path  package  record  tasks  objects
/     sample        2      2        9

module     size
extra   2.0 KiB
"
        );
        assert_eq!(
            Sample::new().said("mount -j"),
            concat!(
                r#"{"modules":[{"bytes":2048,"name":"extra"}],"packages":[{"objects":9,"#,
                r#""package":"sample","path":"/","record":2,"tasks":2}]}"#,
                "\n"
            )
        );
        let none = Sample::empty().said("mount");
        assert!(none.starts_with("No package is mounted.\n\nmodule"), "{none}");
    }

    #[test]
    fn a_mount_names_a_module_and_a_free_path() {
        let action = |line| execute(line, &Sample::new()).action;
        let mount = |path: &str| Some(Action::Mount { module: "extra".into(), path: path.into() });
        assert_eq!(action("mount extra"), mount("extra"));
        assert_eq!(action("mount extra more"), mount("more"));
        let refused = [
            ("mount x", "There is no module `x`; there is: extra.\n"),
            ("mount extra -j", "usage: mount [MODULE [PATH]] [-j]\n"),
            ("mount extra a b", "usage: mount [MODULE [PATH]] [-j]\n"),
        ];
        for (line, sentence) in refused {
            assert_eq!(execute(line, &Sample::new()).text, sentence);
        }
        let said = Sample::new().said("mount extra /");
        assert!(said.starts_with("`/` is no path: "), "{said}");
        let said = Sample::new().replayed().said("mount extra");
        assert!(said.ends_with("the loader handed over none that can be mounted.\n"), "{said}");
    }
}
