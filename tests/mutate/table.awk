# Reads the table of mutations, whose format the comment at its top describes.
#
#	TABLE=FILE MODE=list awk -f table.awk
#		Prints "LINE, tab, FILE, tab, HOW, tab, NOTE" for each row. Reports a row that
#		cannot be applied on standard error; the exit status is 1 then.
#	TABLE=FILE MODE=apply ROW=LINE awk -f table.awk
#		Prints the file with that row's text replaced.
#	TABLE=FILE MODE=show ROW=LINE awk -f table.awk
#		Prints the row with its place in the file: "src/plan.c:23: TEXT => REPLACEMENT".
#
# Paths are relative to the current directory.

function wrong(what) {
	printf "%s:%d: %s\n", ENVIRON["TABLE"], NR, what >"/dev/stderr"
	errors++
}

# Replaces \n, \t and \\ by the characters that they mean.
function unescape(text, out, i, c) {
	out = ""
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\\") {
			c = substr(text, ++i, 1)
			c = c == "n" ? "\n" : c == "t" ? "\t" : c
		}
		out = out c
	}
	return out
}

function content(file, text, line) {
	if (file in contents)
		return contents[file]
	text = ""
	while ((getline line <file) > 0)
		text = text line "\n"
	close(file)
	return contents[file] = text
}

# Returns the position of part in text if it is there exactly once, otherwise 0.
function find(text, part, first) {
	first = index(text, part)
	return first && !index(substr(text, first + 1), part) ? first : 0
}

function line_of(text, position) {
	text = substr(text, 1, position)
	return gsub(/\n/, "\n", text) + 1
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
		text = content(file)
		position = find(text, from)
		if (text == "")
			wrong("there is no " file)
		else if (!index(text, from))
			wrong(file " does not have '" from "'")
		else if (!position)
			wrong(file " has '" from "' more than once")
		else if (from == to)
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
