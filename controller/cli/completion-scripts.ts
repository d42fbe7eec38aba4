/** One command as a shell completes it. */
export interface CommandWords {
	/** Below the program's name: `["policy", "compare"]`. */
	readonly path: readonly string[];
	readonly commands: readonly { readonly name: string; readonly about: string }[];
	readonly options: readonly {
		readonly flags: readonly string[];
		readonly about: string;
		readonly takesValue: boolean;
		readonly choices: readonly string[];
	}[];
	/** Of its arguments. */
	readonly choices: readonly string[];
}

/**
 * A function that walks the words typed so far down the command tree, then says what may follow. Where it says nothing,
 * bash completes file names (`-o default`), with their spaces and quotes, as it does everywhere else.
 */
export function bashScript(tree: readonly CommandWords[]): string {
	return `# bash completion of ecs-access
_ecs_access() {
	local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" word i skip=0 offered=""
	for ((i = 1; i < COMP_CWORD; i++)); do
		word="\${COMP_WORDS[i]}"
		if ((skip)); then skip=0; continue; fi
		case "$path $word" in
			${commandPaths(tree)}) path="$path $word" ;;
			*) case "$path:$word" in ${valueFlags(tree)}) skip=1 ;; esac ;;
		esac
	done
	COMPREPLY=()
	case "$path:$prev" in
${valueCases(tree, (choices) => `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$cur")); return`, "return")}
	esac
	case "$path" in
${tree.map((c) => `		"${shellPath(c)}") if [[ "$cur" == -* ]]; then offered="${flagsOf(c)}"; else offered="${wordsAt(c)}"; fi ;;`).join("\n")}
	esac
	COMPREPLY=($(compgen -W "$offered" -- "$cur"))
}
complete -o default -F _ecs_access ecs-access
`;
}

/** The same walk in zsh's words, with what each command and option is about. */
export function zshScript(tree: readonly CommandWords[]): string {
	return `#compdef ecs-access
# zsh completion of ecs-access
_ecs-access() {
	local cur="\${words[CURRENT]}" prev="\${words[CURRENT-1]}" path_="" word i skip=0
	for ((i = 2; i < CURRENT; i++)); do
		word="\${words[i]}"
		if ((skip)); then skip=0; continue; fi
		case "$path_ $word" in
			(${commandPaths(tree)}) path_="$path_ $word" ;;
			(*) case "$path_:$word" in (${valueFlags(tree)}) skip=1 ;; esac ;;
		esac
	done
	case "$path_:$prev" in
${valueCases(tree, (choices) => `compadd -- ${choices.join(" ")}; return`, "_files; return")}
	esac
	local -a offered
	case "$path_" in
${tree
	.map((c) => {
		const flags = c.options.map((o) => zshItem(o.flags.at(-1) ?? "", o.about)).join(" ");
		const words = [...c.commands.map((s) => zshItem(s.name, s.about)), ...c.choices.map((w) => zshItem(w, ""))].join(" ");
		const otherwise = words === "" ? "_files; return" : `offered=(${words})`;
		return `		"${shellPath(c)}") if [[ "$cur" == -* ]]; then offered=(${flags}); else ${otherwise}; fi ;;`;
	})
	.join("\n")}
	esac
	_describe 'ecs-access' offered
}
# Sourced, it registers itself; from fpath, it is the function.
if [[ "$funcstack[1]" == "_ecs-access" ]]; then _ecs-access "$@"; else compdef _ecs-access ecs-access; fi
`;
}

export function fishScript(tree: readonly CommandWords[]): string {
	const lines = tree.flatMap((c) => {
		const here = fishCondition(c);
		return [
			...c.commands.map((s) => `complete -c ecs-access -f -n ${here} -a ${quote(s.name)} -d ${quote(s.about)}`),
			...(c.choices.length > 0 ? [`complete -c ecs-access -f -n ${here} -a ${quote(c.choices.join(" "))}`] : []),
			...c.options.map((o) => {
				const names = o.flags.map((f) => (f.startsWith("--") ? `-l ${f.slice(2)}` : `-s ${f.slice(1)}`)).join(" ");
				const value = !o.takesValue ? "" : o.choices.length > 0 ? ` -x -a ${quote(o.choices.join(" "))}` : " -r";
				return `complete -c ecs-access -n ${here} ${names}${value} -d ${quote(o.about)}`;
			}),
		];
	});
	return `# fish completion of ecs-access
function __ecs_access_at
	set -l words (commandline -opc)
	set -e words[1]
	set -l typed (string match -v -- '-*' $words)
	test "$typed" = "$argv"; and return 0
	# Arguments may follow a command, but where a further command follows it is that one's turn.
	test (count $argv) -eq 0; and return 1
	string match -q -- "$argv *" "$typed"; or return 1
	test (count $argv) -gt 1; and return 0
	not contains -- "$typed[1..2]" ${tree
		.filter((c) => c.path.length > 1)
		.map((c) => quote(c.path.join(" ")))
		.join(" ")}
end
${lines.join("\n")}
`;
}

function shellPath(c: CommandWords): string {
	return c.path.map((w) => ` ${w}`).join("");
}

function flagsOf(c: CommandWords): string {
	return c.options.flatMap((o) => o.flags).join(" ");
}

function wordsAt(c: CommandWords): string {
	return [...c.commands.map((s) => s.name), ...c.choices].join(" ");
}

/** Patterns of the options whose next word is a value and no command. */
function valueFlags(tree: readonly CommandWords[]): string {
	const patterns = tree.flatMap((c) =>
		c.options.filter((o) => o.takesValue).flatMap((o) => o.flags.map((f) => `"${shellPath(c)}:${f}"`)),
	);
	return patterns.length === 0 ? `"-"` : patterns.join("|");
}

/** One case an option that takes a value: its choices, or whatever else is done where there are none. */
function valueCases(tree: readonly CommandWords[], choose: (choices: readonly string[]) => string, otherwise: string): string {
	const lines = tree.flatMap((c) =>
		c.options
			.filter((o) => o.takesValue)
			.map((o) => {
				const patterns = o.flags.map((f) => `"${shellPath(c)}:${f}"`).join("|");
				return `		(${patterns}) ${o.choices.length > 0 ? choose(o.choices) : otherwise} ;;`;
			}),
	);
	return lines.join("\n");
}

/** Patterns of the words that lead one command further down. */
function commandPaths(tree: readonly CommandWords[]): string {
	return tree.flatMap((c) => c.commands.map((s) => `"${shellPath(c)} ${s.name}"`)).join("|");
}

function zshItem(word: string, about: string): string {
	return quote(about === "" ? word : `${word}:${about.replace(/:/g, " -")}`);
}

function fishCondition(c: CommandWords): string {
	return quote(`__ecs_access_at ${c.path.join(" ")}`.trim());
}

function quote(text: string): string {
	return `'${text.replace(/\\/g, "\\\\").replace(/'/g, `'\\''`)}'`;
}
