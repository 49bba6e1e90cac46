#!/bin/bash
# Draws what CPUs do beside one another, as text says it: standard input to SVG on standard output.
#
#	scripts/picture.sh <docs/blackout-steps.txt >docs/blackout-steps.svg
#
# A line each, from top to bottom; lanes go by the letters that they were given:
#	lane LETTER TEXT	a CPU, from left to right
#	phase NAME		begins; the name is beside what follows
#	do LETTERS TEXT		at the same time (a,b,c)
#	tell LETTER LETTER TEXT	one to another; who stands between them hears it too
#	line TEXT		across all, to be seen
#	note TEXT		across all
#
# Whole numbers only, so that every awk makes the same file. scripts/lint.sh holds the pictures to
# their texts.
set -euo pipefail
exec awk '
function escape(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	return text
}

# The rest of the line from the Nth word on.
function rest(n,	i, text) {
	for (i = n; i <= NF; i++)
		text = text (i > n ? " " : "") $i
	return escape(text)
}

function middle(lane) {
	return left + lane * width + int(width / 2)
}

function known(letter) {
	if (letter in lanes)
		return lanes[letter]
	print "picture.sh: line " NR ": no lane " letter >"/dev/stderr"
	failed = 1
	exit 1
}

function draw(text) {
	body = body text "\n"
}

function put(class, x, y, text) {
	draw("<text class=\"" class "\" x=\"" x "\" y=\"" y "\">" text "</text>")
}

BEGIN {
	left = 90
	width = 270
	top = 50
	y = top
	num = 0
}

/^#/ || !NF { next }

$1 == "lane" {
	lanes[$2] = num
	put("lane", middle(num), 24, rest(3))
	num++
	next
}

$1 == "phase" {
	y += 8
	draw("<path class=\"phase\" d=\"M8 " y "H" left + num * width - 8 "\"/>")
	put("name", 8, y + 22, rest(2))
	y += 8
	next
}

$1 == "do" {
	n = split($2, who, ",")
	for (i = 1; i <= n; i++) {
		x = middle(known(who[i]))
		draw("<rect x=\"" x - 125 "\" y=\"" y "\" width=\"250\" height=\"22\" rx=\"4\"/>")
		put("do", x, y + 15, rest(3))
	}
	y += 30
	next
}

$1 == "tell" {
	from = middle(known($2))
	to = middle(known($3))
	tip = to > from ? to - 8 : to + 8
	draw("<path class=\"tell\" d=\"M" from " " y + 14 "H" tip "\"/>")
	draw("<path class=\"tip\" d=\"M" to " " y + 14 "L" tip " " y + 10 "V" y + 18 "Z\"/>")
	put("tell", int((from + to) / 2), y + 9, rest(4))
	y += 26
	next
}

$1 == "line" {
	y += 14
	put("line", left + int(num * width / 2), y, rest(2))
	draw("<path class=\"line\" d=\"M8 " y + 8 "H" left + num * width - 8 "\"/>")
	y += 14
	next
}

$1 == "note" {
	put("note", left + int(num * width / 2), y + 12, rest(2))
	y += 22
	next
}

{
	print "picture.sh: line " NR ": what is " $1 "?" >"/dev/stderr"
	failed = 1
	exit 1
}

END {
	if (failed)
		exit 1
	w = left + num * width
	h = y + 16
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " w " " h "\" width=\"" w "\" height=\"" h "\">"
	print "<!-- Made by scripts/picture.sh from the text of the same name: change that. -->"
	print "<style>"
	print "text { font: 13px sans-serif; text-anchor: middle; fill: #222 }"
	print ".name { font-weight: bold; text-anchor: start }"
	print ".lane { font-weight: bold }"
	print ".tell { font-size: 11px }"
	print ".line { fill: #b00020; font-weight: bold }"
	print ".note { font-style: italic; font-size: 12px }"
	print "path, rect { fill: none; stroke: #222 }"
	print "rect { fill: #e8f0fe }"
	print ".life { stroke: #bbb; stroke-dasharray: 3 3 }"
	print ".phase { stroke: #ccc }"
	print "path.line { stroke: #b00020; stroke-width: 2 }"
	print ".tip { fill: #222 }"
	print "</style>"
	print "<rect width=\"" w "\" height=\"" h "\" style=\"fill: #fff; stroke: none\"/>"
	for (i = 0; i < num; i++)
		print "<path class=\"life\" d=\"M" middle(i) " 36V" h - 8 "\"/>"
	printf "%s", body
	print "</svg>"
}'
