# Prints the first image of a list (RESULT VERSION SVN FILE) that can be installed and whose version
# is the running one (want=same) or a newer one (want=newer).

function order(version, part) {
	split(version, part, ".")
	return (part[1] * 65536 + part[2]) * 65536 + part[3]
}
$1 != "success" || $2 == "?" { next }
{ diff = order($2) - order(running) }
(want == "same" && diff == 0) || (want == "newer" && diff > 0) {
	sub(/^[^ ]* [^ ]* [^ ]* /, "")
	print
	exit
}
