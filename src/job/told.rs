/// An error and what caused it, each thing once: many sentences name their cause themselves.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.contains(&cause) {
            let colon = if told.is_empty() { "" } else { ": " };
            told = format!("{told}{colon}{cause}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_named_is_not_repeated() {
        let disk = || anyhow::anyhow!("the disk is full");
        let named = disk().context("Nothing was saved (the disk is full): a.tif");
        assert_eq!(told(&named), "Nothing was saved (the disk is full): a.tif");
        let unnamed = disk().context("Nothing was saved");
        assert_eq!(told(&unnamed), "Nothing was saved: the disk is full");
    }
}
