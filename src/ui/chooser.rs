use std::ffi::OsString;
use std::path::Path;

const PORTAL: &str = "dbus-1/services/org.freedesktop.portal.Desktop.service";
/// Where services are described when nothing says otherwise (XDG Base Directory Specification).
const USUAL_DATA: &str = "/usr/local/share:/usr/share";

/// Whether this system has a file chooser. On Linux that is a desktop portal or zenity; without
/// both the chooser answers as if it had been canceled.
pub fn is_there() -> bool {
    !cfg!(target_os = "linux") || is_among(|name| std::env::var_os(name))
}

/// The same by the environment alone.
fn is_among(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let has = |folders: &OsString, file: &str| {
        std::env::split_paths(folders).any(|folder| folder.join(file).is_file())
    };
    if given("PATH").is_some_and(|path| has(&path, "zenity")) {
        return true;
    }
    let at_home = given("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists());
    let has_bus = at_home || given("DBUS_SESSION_BUS_ADDRESS").is_some();
    let data = given("XDG_DATA_DIRS").unwrap_or_else(|| USUAL_DATA.into());
    has_bus && has(&data, PORTAL)
}

#[cfg(test)]
mod tests {
    use std::fs::{File, create_dir_all};

    use super::*;

    #[test]
    fn a_portal_on_a_bus_or_zenity_is_a_chooser() {
        let folder = tempfile::tempdir().expect("a folder");
        let [programs, data] = ["programs", "data"].map(|name| folder.path().join(name));
        let services = data.join("dbus-1/services");
        for made in [&programs, &services] {
            create_dir_all(made).expect("a folder");
        }
        let with = |bus: Option<&str>| {
            is_among(|name| match name {
                "PATH" => Some(programs.clone().into()),
                "XDG_DATA_DIRS" => Some(data.clone().into()),
                "DBUS_SESSION_BUS_ADDRESS" => bus.map(Into::into),
                _ => None,
            })
        };
        let bus = Some("unix:path=/nowhere");
        assert!(!with(None) && !with(bus), "nothing is there");
        File::create(data.join(PORTAL)).expect("made");
        assert!(with(bus) && !with(None), "a portal is asked by the bus");
        File::create(programs.join("zenity")).expect("made");
        assert!(with(None));
    }
}
