//! Response times in few bytes: pairs of the step from the time before and a count, each as
//! a number of seven bits a byte (LEB128).

/// `times` ascend.
pub(crate) fn write(times: &[(u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = 0;
    for (time, count) in times {
        push(&mut out, time - before);
        push(&mut out, *count);
        before = *time;
    }
    out
}

/// None if it is nothing that [`write`] gave.
pub(crate) fn read(mut bytes: &[u8]) -> Option<Vec<(u64, u64)>> {
    let mut times = Vec::new();
    let mut time = 0_u64;
    while !bytes.is_empty() {
        time = time.checked_add(take(&mut bytes)?)?;
        times.push((time, take(&mut bytes)?));
    }
    Some(times)
}

fn push(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_were_written() {
        for times in [
            vec![],
            vec![(0, 1)],
            vec![(127, 128), (128, 1), (1 << 40, u64::MAX)],
        ] {
            assert_eq!(read(&write(&times)), Some(times));
        }
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_noticed() {
        let whole = write(&[(300, 5), (70_000, 900)]);
        assert_eq!(read(&whole[..whole.len() - 1]), None);
        assert_eq!(read(&[0xff; 11]), None);
        let mut too_far = write(&[(u64::MAX, 1)]);
        too_far.extend(write(&[(1, 1)]));
        assert_eq!(read(&too_far), None);
    }
}
