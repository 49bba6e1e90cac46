# Prints which lines of the sources ran, and why the others did not.
#
#	TABLE=FILE awk -f rows.awk -f report.awk COUNTS
#
# COUNTS has "FILE, tab, LINE, tab, COUNT" for each line with code; a line may come more than once.
# The comment at the top of tests/coverage/unreached describes the table. tests/tools/rows.awk has
# functions for it. Paths are relative to the current directory. The exit status is 1 if no row
# explains a line that did not run, or if a row is out of date.

function wrong(what) {
	problems = problems sprintf("%s:%d: %s\n", ENVIRON["TABLE"], row_number, what)
	errors++
}

# Gives the lines from first to last the reason of the row. All of them that have code must be lines
# that did not run.
function explain(file, first, last, reason, line, any) {
	for (line = first; line <= last; line++) {
		if (!((file, line) in count))
			continue
		any = 1
		if (count[file, line] > 0)
			wrong("a case reaches " file ":" line)
		else if ((file, line) in reasons)
			wrong("another row explains " file ":" line)
		else
			reasons[file, line] = reason
	}
	if (!any)
		wrong("no code in " file ":" first (last > first ? "-" last : ""))
}

# Takes a row of the table: FILE TEXT [ ... TEXT] ## REASON.
function take(row, file, rest, at, reason, from, to, position, first, last, text) {
	file = rest = row
	sub(/[ \t].*/, "", file)
	sub(/^[^ \t]+[ \t]+/, "", rest)
	at = index(rest, " ## ")
	reason = substr(rest, at + 4)
	if (!at || reason == "") {
		wrong("no reason")
		return
	}
	from = substr(rest, 1, at - 1)
	to = ""
	if (at = index(from, " ... ")) {
		to = unescape(substr(from, at + 5))
		from = substr(from, 1, at - 1)
	}
	from = unescape(from)
	position = find(file, from)
	if (!position)
		return
	text = content(file)
	position += length(from) - 1
	first = last = line_of(text, position)
	if (to != "") {
		at = index(substr(text, position + 1), to)
		if (!at) {
			wrong(file " does not have '" to "' after that")
			return
		}
		last = line_of(text, position + at + length(to) - 1)
	}
	explain(file, first, last, reason)
}

BEGIN { FS = "\t" }

{
	if (!($1 in lines)) {
		files[++num_files] = $1
		lines[$1] = 0
	}
	if (!(($1, $2) in count)) {
		lines[$1]++
		if ($2 > highest[$1])
			highest[$1] = $2 + 0
	}
	count[$1, $2] += $3
}

END {
	while ((getline row <ENVIRON["TABLE"]) > 0) {
		row_number++
		if (row !~ /^#/ && row !~ /^[ \t]*$/)
			take(row)
	}

	for (f = 1; f <= num_files; f++) {
		file = files[f]
		split(content(file), source, "\n")
		for (line = 1; line <= highest[file]; line++) {
			if (!((file, line) in count))
				continue
			if (count[file, line] > 0) {
				reached[file]++
				continue
			}
			reason = (file, line) in reasons ? reasons[file, line] : ""
			if (reason == "")
				bare++
			else if (reason ~ /^open: /)
				open++
			else
				explained++
			code = source[line]
			sub(/^[ \t]+/, "", code)
			printf "%s:%d: %s\n    %s\n", file, line, code,
				reason == "" ? "no case reaches this" : reason
		}
	}
	if (problems != "")
		printf "\n%s", problems

	printf "\n%-24s %6s %8s %8s\n", "file", "lines", "reached", "percent"
	for (f = 1; f <= num_files; f++) {
		file = files[f]
		printf "%-24s %6d %8d %8.1f\n", file, lines[file], reached[file],
			100 * reached[file] / lines[file]
		all += lines[file]
		ran += reached[file]
	}
	printf "%-24s %6d %8d %8.1f\n", "all", all, ran, all ? 100 * ran / all : 0
	printf "%d lines unreached: %d with a reason, %d open, %d that no case reaches; ", all - ran,
		explained, open, bare
	printf "%d rows out of date\n", errors
	exit errors || bare || !all
}
