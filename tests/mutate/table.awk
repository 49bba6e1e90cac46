# Reads the table of mutations, whose format the comment at its top describes.
#
#	TABLE=FILE MODE=list awk -f rows.awk -f table.awk
#		Prints "LINE, tab, FILE, tab, HOW, tab, NOTE" for each row. Reports a row that
#		cannot be applied on standard error; the exit status is 1 then.
#	TABLE=FILE MODE=apply ROW=LINE awk -f rows.awk -f table.awk
#		Prints the file with that row's text replaced.
#	TABLE=FILE MODE=show ROW=LINE awk -f rows.awk -f table.awk
#		Prints the row with its place in the file: "src/plan.c:23: TEXT => REPLACEMENT".
#
# tests/tools/rows.awk has the functions. Paths are relative to the current directory.

function wrong(what) {
	printf "%s:%d: %s\n", ENVIRON["TABLE"], NR, what >"/dev/stderr"
	errors++
}

BEGIN {
	while ((getline row <ENVIRON["TABLE"]) > 0) {
		NR++
		if (row ~ /^#/ || row ~ /^[ \t]*$/)
			continue
		if (ENVIRON["MODE"] != "list" && NR != ENVIRON["ROW"])
			continue
		file = how = rest = row
		sub(/[ \t].*/, "", file)
		sub(/^[^ \t]+[ \t]+/, "", rest)
		how = rest
		sub(/[ \t].*/, "", how)
		sub(/^[^ \t]+[ \t]+/, "", rest)
		note = ""
		if (at = index(rest, " ## ")) {
			note = substr(rest, at + 4)
			rest = substr(rest, 1, at - 1)
		}
		if (rest ~ / =>$/)
			rest = rest " "
		at = index(rest, " => ")
		if (!at) {
			wrong("no ' => '")
			continue
		}
		from = unescape(substr(rest, 1, at - 1))
		to = unescape(substr(rest, at + 4))
		position = find(file, from)
		text = content(file)
		if (!position)
			continue
		if (from == to)
			wrong("nothing is replaced")
		else if (how == "same" && note == "")
			wrong("'same' wants a reason")
		else if (row in seen)
			wrong("the same as line " seen[row])
		else if (ENVIRON["MODE"] == "list")
			printf "%d\t%s\t%s\t%s\n", NR, file, how, note
		else if (ENVIRON["MODE"] == "apply")
			printf "%s%s%s", substr(text, 1, position - 1), to,
				substr(text, position + length(from))
		else
			printf "%s:%d: %s\n", file, line_of(text, position), rest
		seen[row] = NR
	}
	exit errors != 0
}
