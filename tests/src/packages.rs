//! Packages that tests make.

use helio::pack::{Contents, Recipe};
use witness::note::SigningKey;

use crate::artefacts;

/// Packages in `payload/hostile`, each with one task that misbehaves and a
/// neighbour that does not.
pub fn hostile(name: &str) -> Contents {
    let folder = artefacts::root().join("payload/hostile");
    Recipe::read(&folder.join(format!("{name}.toml"))).unwrap().gather(&folder).unwrap()
}

/// Several of them as one: all that misbehave, and one neighbour.
pub fn together(names: &[&str]) -> Contents {
    let mut all = names.iter().map(|name| hostile(name));
    let mut sum = all.next().unwrap();
    for one in all {
        sum.limits.fuel += one.limits.fuel;
        sum.limits.memory += one.limits.memory;
        sum.limits.records += one.limits.records;
        for component in one.components {
            if sum.components.iter().all(|it| it.name != component.name) {
                sum.components.push(component);
            }
        }
        for task in one.tasks {
            if sum.tasks.iter().all(|it| it.name != task.name) {
                sum.tasks.push(task);
            }
        }
    }
    sum.name = "hostile-together".into();
    sum
}

/// The signed package.
pub fn signed(contents: &Contents, key: &SigningKey) -> Vec<u8> {
    contents.sign(key).unwrap()
}
