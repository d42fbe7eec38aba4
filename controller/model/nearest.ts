/**
 * The names a person may have meant, best first, at most `limit`. Nothing is returned that is further off than a third of
 * the word: a wrong guess is worse than none.
 */
export function nearest(word: string, candidates: Iterable<string>, limit = 1): readonly string[] {
	const wanted = word.toLowerCase();
	const most = Math.max(1, Math.floor(wanted.length / 3));
	const found: { readonly name: string; readonly distance: number }[] = [];
	for (const name of candidates) {
		const lower = name.toLowerCase();
		const distance = lower === wanted ? 0 : editDistance(wanted, lower, most);
		if (distance <= most) found.push({ name, distance });
	}
	return found
		.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
		.slice(0, limit)
		.map((f) => f.name);
}

/** `did you mean "a"?`, or undefined. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
	const [name] = nearest(word, candidates);
	return name === undefined ? undefined : `did you mean "${name}"?`;
}

/** Insertions, deletions, substitutions and swaps of neighbours, up to `most`; more is told as `most + 1`. */
function editDistance(a: string, b: string, most: number): number {
	if (Math.abs(a.length - b.length) > most) return most + 1;
	let before: number[] = [];
	let last = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const cost = a[i - 1] === b[j - 1] ? 0 : 1;
			let d = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
			if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, (before[j - 2] ?? 0) + 1);
			row.push(d);
		}
		before = last;
		last = row;
	}
	return last[b.length] ?? most + 1;
}
