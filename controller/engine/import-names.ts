const LONGEST_LABEL = 63;

/** A DNS-1123 label made from a role's name: lower case, anything but letters and digits as `-`. */
function labelOf(roleName: string): string {
	const label = roleName
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, "-")
		.slice(0, LONGEST_LABEL)
		.replace(/^-+|-+$/g, "");
	return label === "" ? "role" : label;
}

/** The same names in the same order for the same roles; a name that is taken gets a number. */
export function policyNames(roleNames: readonly string[], taken: ReadonlySet<string>): ReadonlyMap<string, string> {
	return numbered(roleNames, taken, labelOf, (label, n) => {
		const end = `-${n}`;
		return label.slice(0, LONGEST_LABEL - end.length).replace(/-+$/, "") + end;
	});
}

/**
 * `<role name>.yaml`. Every character that IAM takes in a role's name is one in a file's name; only a leading dot would
 * hide the file from whoever looks for it.
 */
export function fileNames(roleNames: readonly string[]): ReadonlyMap<string, string> {
	const bases = numbered(
		roleNames,
		new Set(),
		(name) => name.replace(/^\.+/, (dots) => "_".repeat(dots.length)),
		(base, n) => `${base}-${n}`,
	);
	return new Map([...bases].map(([role, base]) => [role, `${base}.yaml`]));
}

/** Compared without case: some file systems do, and so does IAM with roles. Names that need no change come first. */
function numbered(
	roleNames: readonly string[],
	taken: ReadonlySet<string>,
	wish: (roleName: string) => string,
	next: (wished: string, n: number) => string,
): ReadonlyMap<string, string> {
	const used = new Set([...taken].map((t) => t.toLowerCase()));
	const names = new Map<string, string>();
	const unchanged = (role: string): boolean => wish(role) === role;
	for (const role of [...roleNames.filter(unchanged), ...roleNames.filter((r) => !unchanged(r))]) {
		const wished = wish(role);
		let name = wished;
		for (let n = 2; used.has(name.toLowerCase()); n++) name = next(wished, n);
		used.add(name.toLowerCase());
		names.set(role, name);
	}
	return names;
}
