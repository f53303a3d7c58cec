/// A whole number with groups of three, as counts of pixels are told: 9,500.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something: 1 file, 25,000 images, 2 classes.
pub fn count_of(count: usize, noun: &str) -> String {
    let ending = match count {
        1 => "",
        _ if noun.ends_with(['s', 'x']) => "es",
        _ => "s",
    };
    format!("{} {noun}{ending}", grouped(count as u64))
}

/// So many of something and the verb that fits: 1 file is, 25,000 files are.
pub fn subject_of(count: usize, noun: &str, one: &str, many: &str) -> String {
    let verb = if count == 1 { one } else { many };
    format!("{} {verb}", count_of(count, noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(
            [7, 999, 1_000, 1_770_962, 85_500_000].map(grouped),
            ["7", "999", "1,000", "1,770,962", "85,500,000"]
        );
    }

    #[test]
    fn nouns_follow_their_count() {
        let told = [(0, "box"), (1, "file"), (2, "class"), (25_000, "image")];
        let told = told.map(|(count, noun)| count_of(count, noun));
        assert_eq!(told, ["0 boxes", "1 file", "2 classes", "25,000 images"]);
        let told = [1, 2].map(|count| subject_of(count, "line", "puts", "put"));
        assert_eq!(told, ["1 line puts", "2 lines put"]);
    }
}
