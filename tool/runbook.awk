# Makes initialisers of struct page (explain.c) from docs/runbook.md, one for each section. A
# section is a heading "## NAME (ERRNO)", the meaning, and four items in this order. Ends with
# status 1 if a section looks different.

BEGIN {
	split("Look at|Do|Do not|It worked if", titles, "|")
}

function wrong(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what >"/dev/stderr"
	failed = 1
}

function finish(	i) {
	if (!page)
		return
	if (item != 4)
		wrong("the page before this line has " item " of 4 items")
	gsub(/[\\"]/, "\\\\&", text[0])
	printf "{ \"%s\", \"%s\", \"%s\"", page, errno, text[0]
	for (i = 1; i <= 4; i++) {
		gsub(/[\\"]/, "\\\\&", text[i])
		printf ",\n\t\"%s\"", text[i]
	}
	print " },"
}

/^## / {
	finish()
	if ($0 !~ /^## [a-z-]+ \((-|E[A-Z]+)\)$/)
		wrong("not a heading NAME (ERRNO)")
	page = $2
	errno = substr($3, 2, length($3) - 2)
	item = 0
	split("", text)
	next
}
!page || /^$/ { next }
{
	gsub(/`/, "")
	if (sub(/^- /, "")) {
		item++
		if (!sub("^\\*\\*" titles[item] ":\\*\\* ", ""))
			wrong("not the item " titles[item])
	}
	sub(/^ +/, "")
	text[item] = text[item] (text[item] == "" ? "" : " ") $0
}
END {
	finish()
	exit failed
}
