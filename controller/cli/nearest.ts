/** The names most like a word that is none of them, best first; three at most, and only such as a slip could explain. */
export function nearest(word: string, names: readonly string[]): readonly string[] {
	const wanted = word.toLowerCase();
	return names
		.map((name) => ({ name, cost: cost(wanted, name.toLowerCase()) }))
		.filter(({ cost }) => cost <= Math.max(2, Math.floor(wanted.length / 3)))
		.toSorted((a, b) => a.cost - b.cost || (a.name < b.name ? -1 : 1))
		.slice(0, 3)
		.map(({ name }) => name);
}

/** A name that begins with the word, or holds it, is what somebody meant who typed a part. */
function cost(word: string, name: string): number {
	if (word.length >= 2 && name.startsWith(word)) return 1;
	return word.length >= 4 && name.includes(word) ? 2 : distance(word, name);
}

/** Levenshtein. */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}
